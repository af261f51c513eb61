package simulator

import (
	"net/http"
	"net/url"
	"slices"
)

// Webhook is the one subscription that an account has.
type Webhook struct {
	ID              string   `json:"_id"`
	WebhookURL      string   `json:"webhook_url"`
	WebhookEvents   []string `json:"webhook_events"`
	LinkedAccountID string   `json:"linked_account_id"`
}

// createWebhook creates the subscription or changes the one that is there. The
// simulator never calls its URL.
func (s *Server) createWebhook(q *request) (any, error) {
	address, events := q.body.text("webhook_url"), q.body.texts("webhook_events")
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "https" && parsed.Scheme != "http") {
		return nil, refuse(http.StatusBadRequest, codeValidation, "webhook_url must be an http or https URL")
	}
	if len(events) == 0 || slices.Contains(events, "") {
		return nil, refuse(http.StatusBadRequest, codeInvalidEvent, "webhook_events must name at least one event, and none may be empty")
	}
	hook := &Webhook{ID: newID(), LinkedAccountID: q.account.LinkedAccountID}
	if before := q.account.webhook; before != nil {
		hook.ID = before.ID
		if !s.options.Replace {
			hook.WebhookEvents = slices.Clone(before.WebhookEvents)
		}
	}
	hook.WebhookURL = address
	for _, event := range events {
		if !slices.Contains(hook.WebhookEvents, event) {
			hook.WebhookEvents = append(hook.WebhookEvents, event)
		}
	}
	q.account.webhook = hook
	return hook, nil
}

func (s *Server) getWebhook(q *request) (any, error) {
	if q.account.webhook == nil {
		return nil, refuse(http.StatusNotFound, codeNotFound, "linked account %q has no webhook", q.account.LinkedAccountID)
	}
	return q.account.webhook, nil
}

// unsubscribeWebhook removes exactly the events named, and the subscription
// when none is left. Events that are not subscribed to, or no subscription at
// all, are no error: the contract declares none.
func (s *Server) unsubscribeWebhook(q *request) (any, error) {
	hook := q.account.webhook
	if hook == nil {
		return nil, nil
	}
	named := q.body.texts("webhook_events")
	hook.WebhookEvents = slices.DeleteFunc(hook.WebhookEvents, func(event string) bool { return slices.Contains(named, event) })
	if len(hook.WebhookEvents) == 0 {
		q.account.webhook = nil
	}
	return nil, nil
}
