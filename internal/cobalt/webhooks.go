package cobalt

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// Webhook is the subscription of an account to events.
type Webhook struct {
	ID              string
	URL             string
	Events          []string
	LinkedAccountID string
}

// UnmarshalJSON reads the webhook in any of the API's dialects.
func (w *Webhook) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*w = Webhook{
		ID:              o.text("_id", "id"),
		URL:             o.text("webhook_url"),
		Events:          o.texts("webhook_events"),
		LinkedAccountID: o.text("linked_account_id", "account_id"),
	}
	if w.ID == "" && w.URL == "" && w.LinkedAccountID == "" && len(w.Events) == 0 { // whatever it is, it is no webhook
		return missingError("_id")
	}
	return nil
}

// webhooks reads one webhook, or an array of them.
type webhooks []Webhook

func (w *webhooks) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]Webhook)(w))
	}
	*w = make(webhooks, 1)
	return json.Unmarshal(text, &(*w)[0])
}

// WebhookInput is what an account subscribes to.
type WebhookInput struct {
	URL    string   `json:"webhook_url"`
	Events []string `json:"webhook_events"`
}

// CreateWebhook subscribes an account to events.
func (c *Client) CreateWebhook(ctx context.Context, account string, in WebhookInput) (*Webhook, error) {
	return c.webhook(ctx, post("createWebhook", "/public/webhook").as(account).with(in).hiding(in.URL))
}

// GetWebhook returns the subscription of an account. Where the API answers with
// several, it is the first; where with none, the error is one of IsNotFound.
func (c *Client) GetWebhook(ctx context.Context, account string) (*Webhook, error) {
	return c.webhook(ctx, get("getWebhook", "/public/webhook").as(account))
}

func (c *Client) webhook(ctx context.Context, q request) (*Webhook, error) {
	found, err := do[webhooks](ctx, c, q)
	if err != nil {
		return nil, err
	}
	if len(*found) == 0 {
		return nil, &Error{Operation: q.operation, Status: http.StatusNotFound, Message: "there is no webhook", own: true}
	}
	return &(*found)[0], nil
}

// UnsubscribeWebhook ends the subscription of an account to events.
func (c *Client) UnsubscribeWebhook(ctx context.Context, account string, events []string) error {
	q := post("unsubscribeWebhook", "/public/webhook/unsubscribe").as(account)
	return exec(ctx, c, q.with(map[string][]string{"webhook_events": events}))
}
