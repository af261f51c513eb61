package cobalt

import (
	"context"
	"fmt"
	"time"
)

// SessionToken lets its bearer act for one linked account.
type SessionToken struct {
	Token     string
	ExpiresIn time.Duration // 0 if not told
}

// Format prints the token's lifetime only, whatever the verb.
func (t SessionToken) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "cobalt.SessionToken{ExpiresIn: %s}", t.ExpiresIn)
}

// UnmarshalJSON reads the token, whose lifetime the API tells in seconds.
func (t *SessionToken) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	if t.Token = o.text("token"); t.Token == "" {
		return missingError("token")
	}
	t.ExpiresIn = time.Duration(o.number("expires_in")) * time.Second
	return nil
}

type hostedPortal struct{ url string }

func (p *hostedPortal) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	if p.url = o.text("hosted_url", "url"); p.url == "" {
		return missingError("url")
	}
	return nil
}

type accountBody struct {
	LinkedAccountID string `json:"linked_account_id"`
}

// of names an account in the body.
func (q request) of(account string) request {
	return q.with(accountBody{account}).refuse("linked_account_id", account, checkText(account, maxID))
}

// CreateSessionToken returns a session token of an account, which may be one
// that was handed out before.
func (c *Client) CreateSessionToken(ctx context.Context, account string) (*SessionToken, error) {
	return do[SessionToken](ctx, c, post("createSessionToken", "/public/session-token").of(account))
}

// CreateHostedPortalURL returns the address of a page on which an account's
// owner manages its integrations. The address is a secret.
func (c *Client) CreateHostedPortalURL(ctx context.Context, account string) (string, error) {
	portal, err := do[hostedPortal](ctx, c, post("createHostedPortalUrl", "/public/cobalt-hosted").of(account))
	if err != nil {
		return "", err
	}
	return portal.url, nil
}
