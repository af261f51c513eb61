package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// request is one call on its way through the server.
type request struct {
	route      route
	http       *http.Request
	raw        []byte
	unreadable error // why raw is not all of the body
	call       *Call // what the log says of it

	now     time.Time
	env     *environment
	account *account // nil if the scope of the route names none
	body    object

	status int    // of the answer, if the operation says; 0 is 200
	fault  string // for FaultHeader, if the operation spoils its own answer
}

// path is an element of the path, decoded.
func (q *request) path(name string) string { return q.http.PathValue(name) }

// authenticate finds the environment that the credentials of a call open and,
// for a session token, its account.
func (s *Server) authenticate(q *request) error {
	if q.route.scope == scopeToken {
		return s.authenticateToken(q)
	}
	key := q.http.Header.Get("x-api-key")
	if key == "" {
		return refuse(http.StatusUnauthorized, codeAuthentication, "header x-api-key is missing")
	}
	name, known := s.keys[key]
	if !known {
		return refuse(http.StatusUnauthorized, codeAuthentication, "the API key is unknown")
	}
	q.env = s.environments[name]
	return nil
}

func (s *Server) authenticateToken(q *request) error {
	sent := q.sessionToken()
	env, token := s.token(sent)
	switch {
	case sent == "":
		return refuse(http.StatusUnauthorized, codeInvalidToken, "header Authorization is missing: it takes a session token")
	case token == nil:
		return refuse(http.StatusUnauthorized, codeInvalidToken, "the session token is unknown")
	case !q.now.Before(token.ExpiresAt):
		return refuse(http.StatusUnauthorized, codeInvalidToken, "the session token has expired")
	}
	q.env = env
	return q.use(token.LinkedAccountID)
}

// sessionToken is what the call sends as one.
func (q *request) sessionToken() string {
	return strings.TrimPrefix(q.http.Header.Get("Authorization"), "Bearer ")
}

// accountNamed is the id of the account that a call is about, as far as it can
// be told before the call is checked; empty if it names none.
func (s *Server) accountNamed(q *request) string {
	switch q.route.scope {
	case scopePath:
		return q.path("linked_account_id")
	case scopeHeader, scopeOptionalHeader:
		return q.http.Header.Get("linked_account_id")
	case scopeToken:
		if _, token := s.token(q.sessionToken()); token != nil {
			return token.LinkedAccountID
		}
	case scopeBody:
		var body struct {
			LinkedAccountID string `json:"linked_account_id"`
		}
		_ = json.Unmarshal(q.raw, &body) // what cannot be read names nobody
		return body.LinkedAccountID
	}
	return ""
}

// findAccount looks up the account that the route says the call is about.
func (q *request) findAccount() error {
	switch q.route.scope {
	case scopePath:
		return q.use(q.path("linked_account_id"))
	case scopeHeader, scopeOptionalHeader:
		id := q.http.Header.Get("linked_account_id")
		if id != "" {
			return q.use(id)
		}
		if q.route.scope == scopeHeader {
			return refuse(http.StatusBadRequest, codeMissingAccount, "header linked_account_id is missing")
		}
	}
	return nil
}

// use makes the call one about the account of that id, which has to exist.
func (q *request) use(id string) error {
	q.call.LinkedAccountID = id
	q.account = q.env.accounts[id]
	if q.account == nil {
		return refuse(http.StatusNotFound, codeNotFound, "linked account %q does not exist", id)
	}
	return nil
}

// named is the linked account id in the body, for calls that have it there.
func (q *request) named() (string, error) {
	id := q.body.text("linked_account_id")
	q.call.LinkedAccountID = id
	if id == "" {
		return "", refuse(http.StatusBadRequest, codeMissingField, "linked_account_id must not be empty")
	}
	return id, nil
}
