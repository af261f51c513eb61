// Package hash stands for contents without telling them, so that it can be seen later whether they are the same.
// Statuses and annotations hold what it returns: another form would have every workflow made and every trigger fired again.
package hash

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Of is a hash of texts that does not depend on where one ends and the next begins. It is for contents that are no secret:
// the same texts have the same hash.
func Of(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		_, _ = fmt.Fprintf(hash, "%d %s\n", len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))[:32]
}

// Salted is a hash of secret contents that belong to an owner, which may be empty. Its salt is new each time, so that
// nobody sees by it who else has the same.
func Salted(owner string, content []byte) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return salted(salt, owner, content)
}

// Matches tells whether a salted hash was made of this owner and content.
func Matches(hash, owner string, content []byte) bool {
	text, _, _ := strings.Cut(hash, ":")
	salt, err := hex.DecodeString(text)
	return err == nil && len(salt) > 0 && salted(salt, owner, content) == hash
}

func salted(salt []byte, owner string, content []byte) string {
	hash := sha256.New()
	hash.Write(salt)
	hash.Write([]byte(owner + "\x00"))
	hash.Write(content)
	return hex.EncodeToString(salt) + ":" + hex.EncodeToString(hash.Sum(nil))
}
