package environment

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// Endpoint is a base URL with a key: what a Cobalt environment is to a client. It
// can be recognised, and not be read.
type Endpoint struct {
	// BaseURL in its canonical form; typed is how somebody has spelled it.
	BaseURL, typed string
	key            string
	// ID is the same for all who lead there, in memory, and does not tell the key.
	ID string
}

// EndpointOf is where a URL leads with a key.
func EndpointOf(baseURL, key string) *Endpoint {
	e := &Endpoint{BaseURL: cobalt.Canonical(baseURL), typed: baseURL, key: key}
	e.ID = e.digest("id")
	return e
}

// acceptanceLength is short enough to be typed and too long to be guessed.
const acceptanceLength = 10

// Spelled is the endpoint as it was recorded by whoever spelled the URL like this, if that
// is but another spelling.
func (e *Endpoint) Spelled(baseURL string) *Endpoint {
	if cobalt.Canonical(baseURL) != e.BaseURL {
		return e
	}
	return EndpointOf(baseURL, e.key)
}

// String keeps the key out of whatever prints an endpoint.
func (Endpoint) String() string { return redact.Mark }

// Record returns a text by which the endpoint is recognised later.
func (e *Endpoint) Record() string {
	salt := rand.Text()
	return salt + ":" + e.digest(salt)
}

// Is tells whether a record was made of this endpoint, also by an operator that took each
// spelling for a place of its own.
func (e *Endpoint) Is(record string) bool { return e.Made(record) || e.AsTyped().Made(record) }

// Made tells whether a record was made of this endpoint.
func (e *Endpoint) Made(record string) bool {
	salt, digest, ok := strings.Cut(record, ":")
	return ok && hmac.Equal([]byte(digest), []byte(e.digest(salt)))
}

// AsTyped is the endpoint for an operator that took each spelling for a place of its own.
func (e *Endpoint) AsTyped() *Endpoint {
	return &Endpoint{BaseURL: strings.TrimRight(e.typed, "/"), key: e.key}
}

func (e *Endpoint) digest(salt string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	_, _ = fmt.Fprintf(mac, "%s\x00%s", e.BaseURL, e.key)
	return hex.EncodeToString(mac.Sum(nil))
}

// Acceptance is the word that accepts this endpoint, and no other, for a challenge.
func (e *Endpoint) Acceptance(challenge string) string { return e.digest(challenge)[:acceptanceLength] }
