package cobalt

import (
	"context"
	"encoding/json"
)

// EventInput is an event to fire.
type EventInput struct {
	Event    string          `json:"event"`               // its name, case-sensitive
	ConfigID string          `json:"config_id,omitempty"` // empty: Cobalt's choice
	Payload  json.RawMessage `json:"payload,omitempty"`   // a JSON object
}

// EventResult is the answer to an event.
type EventResult struct {
	Message     string
	ExecutionID string // empty if not told
}

// UnmarshalJSON reads the result in any of the API's dialects.
func (r *EventResult) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*r = EventResult{Message: o.text("message"), ExecutionID: followable(o.text(executionKeys...))}
	return nil
}

// TriggerEvent fires an event for an account. Repeated, it fires another one.
// An execution id in the answer makes it a result, whatever its status.
func (c *Client) TriggerEvent(ctx context.Context, account, slug string, in EventInput) (*EventResult, error) {
	q := post("triggerEvent", "/public/event/{slug}", slug).as(account).with(in).hiding(in.Payload).unrepeatable().running()
	if in.ConfigID != "" {
		q = q.refuse("config_id", in.ConfigID, checkText(in.ConfigID, maxID))
	}
	return do[EventResult](ctx, c, q)
}
