package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"
)

// Credential is what an account brought along for an application. The API
// never gives it back.
type Credential struct {
	LinkedAccountID string         `json:"linked_account_id"`
	Application     string         `json:"application"`
	Token           map[string]any `json:"-"`
	TokenSHA256     string         `json:"token_sha256"` // of its JSON with sorted keys
	UpdatedAt       time.Time      `json:"updated_at"`
}

// migrateToken connects the application for the account. The contract requires
// neither slug nor token, but without them there is nothing to migrate.
func (s *Server) migrateToken(q *request) (any, error) {
	for _, name := range []string{"slug", "token"} {
		if !q.body.has(name) {
			return nil, refuse(http.StatusBadRequest, codeMissingField, "%s is missing", name)
		}
	}
	slug, token := q.body.text("slug"), q.body.object("token")
	if s.enabled(slug) == nil {
		return nil, refuse(http.StatusBadRequest, codeInvalidApp, "application %q does not exist or is not enabled", slug)
	}
	canonical, err := json.Marshal(token)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(canonical)
	q.account.credentials[slug] = &Credential{
		LinkedAccountID: q.account.LinkedAccountID,
		Application:     slug,
		Token:           token,
		TokenSHA256:     hex.EncodeToString(sum[:]),
		UpdatedAt:       q.now,
	}
	return nil, nil
}
