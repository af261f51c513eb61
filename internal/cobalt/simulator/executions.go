package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Execution is one run of a workflow, as the API answers it.
type Execution struct {
	ID              string     `json:"_id"`
	WorkflowID      string     `json:"workflow_id"`
	LinkedAccountID string     `json:"linked_account_id"`
	Status          string     `json:"status"` // pending, running, completed, failed, or what an Outcome says
	StartedAt       time.Time  `json:"started_at"`
	CompletedAt     *time.Time `json:"completed_at,omitempty"`
	Logs            []LogEntry `json:"logs"`

	Payload map[string]any `json:"-"` // what it was started with, which the API does not tell
}

// LogEntry is what an execution logs when its status changes.
type LogEntry struct {
	Time    time.Time `json:"time"`
	Level   string    `json:"level"` // info or error
	Message string    `json:"message"`
}

// execution is what was started. How far it is follows from the time.
type execution struct {
	id, workflow, account string
	startedAt             time.Time
	payload               map[string]any
	outcome               Outcome
}

// The words that the contract has for the status of an execution.
const (
	statusPending   = "pending"
	statusRunning   = "running"
	statusCompleted = "completed"
	statusFailed    = "failed"
)

// start begins a run for an account. A payload that has "simulate": "fail" makes it
// fail, whatever the outcome of the workflow.
func (s *Server) start(a *account, workflow string, payload map[string]any) *execution {
	run := &execution{
		id:        newID(),
		workflow:  workflow,
		account:   a.LinkedAccountID,
		startedAt: s.options.Now().UTC(),
		payload:   payload,
		outcome:   s.outcomes[workflow],
	}
	if payload["simulate"] == "fail" {
		run.outcome.Status = statusFailed
	}
	a.executions = append(a.executions, run)
	return run
}

func (a *account) forget(id string) {
	a.executions = slices.DeleteFunc(a.executions, func(run *execution) bool { return run.id == id })
}

// at is how a run looks at a time.
func (s *Server) at(now time.Time, run *execution) Execution {
	seen := Execution{
		ID: run.id, WorkflowID: run.workflow, LinkedAccountID: run.account, Status: statusPending, StartedAt: run.startedAt,
		Logs: []LogEntry{{run.startedAt, "info", "The execution was queued."}}, Payload: copied(run.payload),
	}
	running := run.startedAt.Add(s.options.Pending)
	ended := running.Add(s.options.Running)
	if now.Before(running) {
		return seen
	}
	seen.Status = statusRunning
	seen.Logs = append(seen.Logs, LogEntry{running, "info", "The execution started."})
	for _, message := range run.outcome.Logs {
		seen.Logs = append(seen.Logs, LogEntry{running, "info", message})
	}
	if now.Before(ended) || run.outcome.Status == statusRunning {
		return seen
	}
	seen.Status, seen.CompletedAt = cmp.Or(run.outcome.Status, statusCompleted), &ended
	level := "info"
	if seen.Status == statusFailed {
		level = "error"
	}
	seen.Logs = append(seen.Logs, LogEntry{ended, level, "The execution " + seen.Status + "."})
	return seen
}

// see is how a run looks to a call. A word for its status that the contract does not
// have spoils the answer.
func (q *request) see(s *Server, run *execution) Execution {
	seen := s.at(q.now, run)
	switch seen.Status {
	case statusPending, statusRunning, statusCompleted, statusFailed:
	default:
		q.fault = "outcome"
	}
	return seen
}

func (s *Server) getExecutionByID(q *request) (any, error) {
	id := q.path("execution_id")
	for _, run := range q.account.executions {
		if run.id == id {
			return q.see(s, run), nil
		}
	}
	return nil, refuse(http.StatusNotFound, codeNotFound, "execution %q does not exist", id)
}

// listExecutions answers the oldest first.
func (s *Server) listExecutions(q *request) (any, error) {
	list := []Execution{}
	for _, run := range q.account.executions {
		list = append(list, q.see(s, run))
	}
	return list, nil
}
