package controller

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// newHash remembers credentials of an account without telling them: a salt that
// is new each time, and a hash of both.
func newHash(account string, referenced []byte) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return saltedHash(salt, account, referenced)
}

func hashMatches(remembered, account string, referenced []byte) bool {
	text, _, _ := strings.Cut(remembered, ":")
	salt, err := hex.DecodeString(text)
	return err == nil && len(salt) > 0 && saltedHash(salt, account, referenced) == remembered
}

func saltedHash(salt []byte, account string, referenced []byte) string {
	hash := sha256.New()
	hash.Write(salt)
	hash.Write([]byte(account + "\x00"))
	hash.Write(referenced)
	return hex.EncodeToString(salt) + ":" + hex.EncodeToString(hash.Sum(nil))
}
