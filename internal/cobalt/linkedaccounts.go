package cobalt

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// LinkedAccount is a customer of the API's user.
type LinkedAccount struct {
	ID              string // Cobalt's own id; another one after the account was deleted and created again
	LinkedAccountID string // the id its creator chose, by which calls name it
	Name            string
	YourApp         map[string]any // numbers are json.Number
	CreatedAt       time.Time      // zero if not told
	UpdatedAt       time.Time      // zero if not told
}

// UnmarshalJSON reads the account in any of the API's dialects.
func (a *LinkedAccount) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*a = LinkedAccount{
		ID:              o.text("_id", "id"),
		LinkedAccountID: o.text("linked_account_id", "account_id"),
		Name:            o.text("name"),
		YourApp:         o.anyMap("your_app"),
		CreatedAt:       o.time("created_at", "createdAt", "created_At"),
		UpdatedAt:       o.time("updated_at", "updatedAt", "updated_At"),
	}
	if a.ID == "" && a.LinkedAccountID == "" { // whatever it is, it is no account
		return missingError("_id")
	}
	return nil
}

// LinkedAccountInput is what can be said of an account.
type LinkedAccountInput struct {
	ID      string         `json:"linked_account_id"`
	Name    string         `json:"name,omitempty"`
	YourApp map[string]any `json:"your_app,omitzero"` // nil: not sent
}

func (in LinkedAccountInput) to(q request) request {
	// It will be a path element of other calls.
	return q.with(in).hiding(in.YourApp).refuse("linked_account_id", in.ID, checkRoute("linked-account", in.ID))
}

// ListLinkedAccounts returns all accounts of the environment.
func (c *Client) ListLinkedAccounts(ctx context.Context) iter.Seq2[LinkedAccount, error] {
	return list[LinkedAccount](ctx, c, get("listLinkedAccounts", "/public/linked-account"))
}

// GetLinkedAccount returns the account that its creator called id.
func (c *Client) GetLinkedAccount(ctx context.Context, id string) (*LinkedAccount, error) {
	return do[LinkedAccount](ctx, c, get("getLinkedAccount", "/public/linked-account/{linked_account_id}", id))
}

// CreateLinkedAccount creates an account. It fails if there is one of that id.
func (c *Client) CreateLinkedAccount(ctx context.Context, in LinkedAccountInput) (*LinkedAccount, error) {
	return do[LinkedAccount](ctx, c, in.to(post("createLinkedAccount", "/public/linked-account")))
}

// UpsertLinkedAccount creates or updates an account. It can be repeated.
func (c *Client) UpsertLinkedAccount(ctx context.Context, in LinkedAccountInput) (*LinkedAccount, error) {
	return do[LinkedAccount](ctx, c, in.to(post("upsertLinkedAccount", "/public/linked-account/upsert")))
}

// DeleteLinkedAccount deletes an account with its configs and connections.
func (c *Client) DeleteLinkedAccount(ctx context.Context, id string) error {
	return exec(ctx, c, del("deleteLinkedAccount", "/public/linked-account/{linked_account_id}", id))
}

// MigrateToken hands over the credentials of an account at an application. The
// token is a JSON object of the application's making.
func (c *Client) MigrateToken(ctx context.Context, id, application string, token json.RawMessage) error {
	q := post("migrateToken", "/public/linked-account/{linked_account_id}/migrate-token", id).
		with(migration{application, token}).hiding(token).
		refuse("slug", application, checkText(application, maxID))
	return exec(ctx, c, q)
}

type migration struct {
	Slug  string          `json:"slug"`
	Token json.RawMessage `json:"token"`
}
