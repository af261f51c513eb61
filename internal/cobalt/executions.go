package cobalt

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"
)

// Execution is one run of a workflow.
type Execution struct {
	ID              string
	WorkflowID      string
	LinkedAccountID string
	Status          string            // in the API's words; Outcome says what they mean
	StartedAt       time.Time         // zero if not told
	CompletedAt     time.Time         // zero if not over or not told
	Logs            []json.RawMessage // may hold customers' data
}

// UnmarshalJSON reads the execution in any of the API's dialects.
func (e *Execution) UnmarshalJSON(text []byte) error {
	o, err := parse(text, "execution")
	if err != nil {
		return err
	}
	workflow, _ := parse(o["associated_workflow"]) // nil, which has no id, if there is none
	*e = Execution{
		ID:              o.text("_id", "id", "execution_id", "executionId", "instance_id", "instanceId"),
		WorkflowID:      o.text("workflow_id"),
		LinkedAccountID: o.text("linked_account_id", "account_id"),
		Status:          o.text("status"),
		StartedAt:       o.time("started_at", "startedAt", "created_at", "createdAt"),
		CompletedAt:     o.time("completed_at", "completedAt"),
		Logs:            o.values("logs", "nodes"),
	}
	if e.WorkflowID == "" {
		e.WorkflowID = workflow.text("_id", "id")
	}
	return nil
}

// Outcome is what became of an execution.
type Outcome string

// An execution is Open until it is known to be over; Failed is every end but a
// good one, such as an error, a time-out or being stopped.
const (
	Open      Outcome = "Open"
	Completed Outcome = "Completed"
	Failed    Outcome = "Failed"
)

// Outcome says what the execution's status means. Unknown words are Open.
func (e Execution) Outcome() Outcome { return OutcomeOf(e.Status) }

// OutcomeOf says what a status word of the API means.
func OutcomeOf(status string) Outcome {
	switch strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToUpper(strings.TrimSpace(status))) {
	case "COMPLETED":
		return Completed
	case "FAILED", "ERRORED", "TIMED_OUT", "STOPPED", "TERMINATED", "DUPLICATE":
		return Failed
	default:
		return Open
	}
}

// executionKeys are the names under which answers tell the id of an execution.
var executionKeys = []string{"execution_id", "executionId", "instance_id", "instanceId"}

// running says that an answer which names an execution is a result.
func (q request) running() request {
	q.runs, q.results = true, executionKeys
	return q
}

// reading says that the call reads executions, of which an error is a part.
func (q request) reading() request {
	q.results = append([]string{"_id", "id", "status"}, executionKeys...)
	return q
}

func holdsExecution(answer []byte) bool {
	o, err := parse(answer)
	return err == nil && o.text(executionKeys...) != ""
}

// GetExecution returns one execution of an account.
func (c *Client) GetExecution(ctx context.Context, account, id string) (*Execution, error) {
	return do[Execution](ctx, c, get("getExecutionById", "/public/execution/{execution_id}", id).as(account).reading())
}

// ListExecutions returns the executions of an account.
func (c *Client) ListExecutions(ctx context.Context, account string) iter.Seq2[Execution, error] {
	return list[Execution](ctx, c, get("listExecutions", "/public/execution").as(account).reading())
}
