package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// SessionToken acts for one linked account until it expires.
type SessionToken struct {
	LinkedAccountID string    `json:"linked_account_id"`
	Token           string    `json:"token"`
	IssuedAt        time.Time `json:"issued_at"`
	ExpiresAt       time.Time `json:"expires_at"`
}

// createSessionToken mints a new token each time; older ones stay good.
func (s *Server) createSessionToken(q *request) (any, error) {
	id, err := q.named()
	if err != nil {
		return nil, err
	}
	if q.env.accounts[id] == nil {
		return nil, refuse(http.StatusBadRequest, codeInvalidAccount, "linked account %q does not exist", id)
	}
	token := &SessionToken{LinkedAccountID: id, IssuedAt: q.now, ExpiresAt: q.now.Add(s.options.TokenTTL)}
	token.Token = s.sign(q.env.name, token)
	q.env.tokens[token.Token] = token
	return map[string]string{"token": token.Token}, nil
}

// token is the session token that reads so, expired or not, and its
// environment; nil if it is unknown.
func (s *Server) token(text string) (*environment, *SessionToken) {
	for _, env := range s.environments {
		if token, known := env.tokens[text]; known {
			return env, token
		}
	}
	return nil, nil
}

// RevokeSessionTokens makes the session tokens of an account unknown.
func (s *Server) RevokeSessionTokens(environment, account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.environments[environment].revoke(account)
}

func (e *environment) revoke(account string) {
	maps.DeleteFunc(e.tokens, func(_ string, t *SessionToken) bool { return t.LinkedAccountID == account })
}

// createHostedPortalURL links to pages that do not exist: a name under
// .invalid never resolves.
func (s *Server) createHostedPortalURL(q *request) (any, error) {
	id, err := q.named()
	if err != nil {
		return nil, err
	}
	if err := q.use(id); err != nil {
		return nil, err
	}
	return map[string]string{"url": "https://portal.cobalt-simulator.invalid/" + q.account.ID}, nil
}

// sign makes a JSON Web Token. Its times are whole seconds, as usual, so it
// says to expire at most a second before it does.
func (s *Server) sign(environment string, token *SessionToken) string {
	encode := func(value map[string]any) string {
		text, _ := json.Marshal(value) // strings and numbers only
		return base64.RawURLEncoding.EncodeToString(text)
	}
	unsigned := encode(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + encode(map[string]any{
		"linked_account_id": token.LinkedAccountID,
		"environment":       environment,
		"iat":               token.IssuedAt.Unix(),
		"exp":               token.ExpiresAt.Unix(),
		"jti":               newUUID(), // tells apart tokens of one second
	})
	mac := hmac.New(sha256.New, s.signing)
	mac.Write([]byte(unsigned))
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
