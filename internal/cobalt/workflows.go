package cobalt

import (
	"context"
	"encoding/json"
	"time"
)

// PublicWorkflow is a workflow that belongs to one account.
type PublicWorkflow struct {
	ID          string
	Name        string
	Description string
	Nodes       []WorkflowNode
	CreatedAt   time.Time // zero if not told
	UpdatedAt   time.Time // zero if not told
}

// UnmarshalJSON reads the workflow in any of the API's dialects.
func (w *PublicWorkflow) UnmarshalJSON(text []byte) error {
	o, err := parse(text, "workflow")
	if err != nil {
		return err
	}
	*w = PublicWorkflow{
		ID:          o.text("_id", "id"),
		Name:        o.text("name"),
		Description: o.text("description"),
		CreatedAt:   o.time("created_at", "createdAt", "created_At"),
		UpdatedAt:   o.time("updated_at", "updatedAt", "updated_At"),
	}
	for _, node := range o.objects("nodes") {
		w.Nodes = append(w.Nodes, WorkflowNode{Type: node.text("type"), Config: node["config"]})
	}
	return nil
}

// WorkflowNode is one step of a workflow.
type WorkflowNode struct {
	Type   string          `json:"type"`             // such as start
	Config json.RawMessage `json:"config,omitempty"` // a JSON object
}

// WorkflowInput describes a workflow to create.
type WorkflowInput struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Nodes       []WorkflowNode `json:"nodes"`
}

// CreatePublicWorkflow creates a workflow for the account whose session token
// it is. Repeated, it creates another one. One whose id could not be used later is
// an AnswerError: it is there, and cannot be named.
func (c *Client) CreatePublicWorkflow(ctx context.Context, sessionToken string, in WorkflowInput) (*PublicWorkflow, error) {
	q := post("createPublicWorkflow", "/public/workflow").with(in).unrepeatable()
	q = q.refuse("session token", "", checkText(sessionToken, maxSecret))
	q.session = sessionToken
	made, err := do[PublicWorkflow](ctx, c, q)
	if err == nil && ValidatePathID(made.ID) != nil {
		return nil, &AnswerError{Operation: q.operation, problem: "has no id that can be used"}
	}
	return made, err
}

// ExecuteResult is what is known of an execution once it has begun.
type ExecuteResult struct {
	ExecutionID string // empty if not told
	Status      string // in the API's words
}

// UnmarshalJSON reads the result in any of the API's dialects.
func (r *ExecuteResult) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*r = ExecuteResult{ExecutionID: followable(o.text(executionKeys...)), Status: o.text("status")}
	return nil
}

// ExecuteWorkflow starts an execution of a workflow, with an optional payload,
// a JSON object. Repeated, it starts another one. An execution id in the answer
// makes it a result, whatever its status, since workflows can set that.
func (c *Client) ExecuteWorkflow(ctx context.Context, account, workflowID string, payload json.RawMessage) (*ExecuteResult, error) {
	q := post("executeWorkflow", "/public/workflow/{workflow_id}/execute", workflowID).as(account)
	return do[ExecuteResult](ctx, c, q.with(payloadBody{payload}).hiding(payload).unrepeatable().running())
}

type payloadBody struct {
	Payload json.RawMessage `json:"payload,omitempty"`
}
