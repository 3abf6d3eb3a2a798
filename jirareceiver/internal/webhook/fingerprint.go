package webhook

import (
	"crypto/sha256"
)

// Fingerprint returns the SHA-256 of what a body says of its event: of all members but matchedWebhookIds, in which the
// deliveries of one event to several registrations differ. The body is one that was decoded.
func Fingerprint(body []byte) []byte {
	h := sha256.New()
	_ = object(newDecoding(body), func(d *decoding, key []byte) error {
		value, err := d.Raw()
		if string(key) != "matchedWebhookIds" {
			h.Write(key)
			h.Write([]byte{0})
			h.Write(value)
			h.Write([]byte{0})
		}
		return err
	})
	return h.Sum(nil)
}
