package cobalt

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// Application is a product of a third party that accounts can connect to.
type Application struct {
	Name        string
	Slug        string
	Icon        string // URL
	Description string
	AuthType    string // such as oauth2
	Connected   *bool  // by the account that was asked for; nil if the API does not tell
}

// UnmarshalJSON reads the application in any of the API's dialects.
func (a *Application) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*a = Application{
		Name:        o.text("name"),
		Slug:        o.text("slug"),
		Icon:        o.text("icon"),
		Description: o.text("description"),
		AuthType:    o.text("auth_type"),
	}
	if o.has("connected") {
		a.Connected = new(!denies(o["connected"]))
	}
	return nil
}

// denies tells whether a value says no: a boolean, which some dialects write as a text or a
// number. Of any other value nobody knows what it means, and a yes does less harm.
func denies(value json.RawMessage) bool {
	return slices.Contains([]string{"false", "0", ""}, strings.ToLower(strings.Trim(string(value), `" `)))
}

// maybeAs scopes the call to an account, if there is one.
func (q request) maybeAs(account string) request {
	if account == "" {
		return q
	}
	return q.as(account)
}

// ListApplications returns the enabled applications as account sees them, or
// those of the environment if account is empty.
func (c *Client) ListApplications(ctx context.Context, account string) iter.Seq2[Application, error] {
	return list[Application](ctx, c, get("listApplications", "/public/application").maybeAs(account))
}

// GetApplication returns an application as account sees it. The account may be
// empty.
func (c *Client) GetApplication(ctx context.Context, account, slug string) (*Application, error) {
	return do[Application](ctx, c, get("getApplicationBySlug", "/public/application/{slug}", slug).maybeAs(account))
}
