package simulator

import (
	"net/http"
	"time"
)

// FiredEvent is an event that was fired for an account.
type FiredEvent struct {
	ID              string         `json:"_id"`
	LinkedAccountID string         `json:"linked_account_id"`
	Slug            string         `json:"slug"`
	Event           string         `json:"event"`
	ConfigID        string         `json:"config_id,omitempty"`
	Payload         map[string]any `json:"payload,omitempty"`
	ExecutionID     string         `json:"execution_id"`
	FiredAt         time.Time      `json:"fired_at"`
}

// triggerEvent starts the workflow of a seeded event. Slug and name must both
// match exactly.
func (s *Server) triggerEvent(q *request) (any, error) {
	slug, name := q.path("slug"), q.body.text("event")
	event := s.seed.event(slug, name)
	if event == nil {
		return nil, refuse(http.StatusNotFound, codeInvalidEvent, "event %q with slug %q does not exist", name, slug)
	}
	configID := q.body.text("config_id")
	if configID != "" && q.account.config(configID) == nil {
		return nil, refuse(http.StatusNotFound, codeNotFound, "config_id: config %q does not exist", configID)
	}
	payload := q.body.object("payload")
	run := s.start(q.account, event.Workflow, payload)
	q.account.events = append(q.account.events, FiredEvent{
		ID:              newID(),
		LinkedAccountID: q.account.LinkedAccountID,
		Slug:            slug,
		Event:           name,
		ConfigID:        configID,
		Payload:         payload,
		ExecutionID:     run.id,
		FiredAt:         q.now,
	})
	return q.started(run, map[string]string{"message": "Event fired."}), nil
}
