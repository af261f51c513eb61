package simulator

import (
	"net/http"
	"slices"
	"time"
)

// PublicWorkflow is a workflow that was created through the API.
type PublicWorkflow struct {
	ID          string           `json:"_id"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Nodes       []map[string]any `json:"nodes"`
	CreatedAt   time.Time        `json:"created_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
}

// createPublicWorkflow adds one each time: names need not be unique.
func (s *Server) createPublicWorkflow(q *request) (any, error) {
	if q.body.text("name") == "" {
		return nil, refuse(http.StatusBadRequest, codeMissingField, "name must not be empty")
	}
	workflow := &PublicWorkflow{
		ID:          newID(),
		Name:        q.body.text("name"),
		Description: q.body.text("description"),
		Nodes:       []map[string]any{},
		CreatedAt:   q.now,
		UpdatedAt:   q.now,
	}
	for _, node := range q.body.objects("nodes") {
		workflow.Nodes = append(workflow.Nodes, node)
	}
	q.account.workflows = append(q.account.workflows, workflow)
	return workflow, nil
}

// executeWorkflow runs a workflow that the account created or that the seed
// has.
func (s *Server) executeWorkflow(q *request) (any, error) {
	id := q.path("workflow_id")
	own := slices.ContainsFunc(q.account.workflows, func(w *PublicWorkflow) bool { return w.ID == id })
	if !own && !s.seed.hasWorkflow(id) {
		return nil, refuse(http.StatusNotFound, codeInvalidFlow, "workflow %q does not exist", id)
	}
	run := s.start(q.account, id, q.body.object("payload"))
	return q.started(run, map[string]string{"status": s.at(q.now, run).Status}), nil
}
