package jira

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint returns the SHA-256 of what a body says of its event: of all members but matchedWebhookIds, in which the
// deliveries of one event to several registrations differ. The body is one that was decoded.
func Fingerprint(body []byte) []byte {
	h := sha256.New()
	var length [binary.MaxVarintLen64]byte
	write := func(part []byte) { // with its length before it, because keys may contain any separator
		h.Write(binary.AppendUvarint(length[:0], uint64(len(part))))
		h.Write(part)
	}
	_ = object(newDecoding(body), func(d *decoding, key []byte) error {
		value, err := d.Raw()
		if string(key) != "matchedWebhookIds" {
			write(key)
			write(value)
		}
		return err
	})
	return h.Sum(nil)
}
