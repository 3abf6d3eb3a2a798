// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint returns the SHA-256 hash of all members of a body except those in which the deliveries of one event to
// several webhooks or integrations differ, and except a byte order mark. The body must be one that [Decoder.Decode] has
// accepted.
func Fingerprint(body []byte) []byte {
	h := sha256.New()
	var length [binary.MaxVarintLen64]byte
	write := func(part []byte) { // after its length, because keys may contain any separator
		h.Write(binary.AppendUvarint(length[:0], uint64(len(part))))
		h.Write(part)
	}
	_ = decodeObject(newDecoding(trimMark(body)), func(d *decoding, key []byte) error {
		value, err := d.Raw()
		switch string(key) {
		case "matchedWebhookIds", "integrationId", "integrationName":
		default:
			write(key)
			write(value)
		}
		return err
	})
	return h.Sum(nil)
}
