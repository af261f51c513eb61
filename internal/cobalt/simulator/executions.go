package simulator

import (
	"net/http"
	"time"
)

// Execution is one run of a workflow, as the API answers it.
type Execution struct {
	ID              string     `json:"_id"`
	WorkflowID      string     `json:"workflow_id"`
	LinkedAccountID string     `json:"linked_account_id"`
	Status          string     `json:"status"` // pending, running, completed, failed
	StartedAt       time.Time  `json:"started_at"`
	CompletedAt     *time.Time `json:"completed_at,omitempty"`
	Logs            []LogEntry `json:"logs"`
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
	fails                 bool
}

// start begins a run for the account of the call. A payload that has
// "simulate": "fail" makes it fail.
func (q *request) start(workflow string) *execution {
	run := &execution{
		id:        newID(),
		workflow:  workflow,
		account:   q.account.LinkedAccountID,
		startedAt: q.now,
		fails:     q.body.object("payload")["simulate"] == "fail",
	}
	q.account.executions = append(q.account.executions, run)
	return run
}

// at is how a run looks at a time.
func (s *Server) at(now time.Time, run *execution) Execution {
	seen := Execution{
		ID: run.id, WorkflowID: run.workflow, LinkedAccountID: run.account, Status: "pending", StartedAt: run.startedAt,
		Logs: []LogEntry{{run.startedAt, "info", "The execution was queued."}},
	}
	running := run.startedAt.Add(s.options.Pending)
	ended := running.Add(s.options.Running)
	if now.Before(running) {
		return seen
	}
	seen.Status = "running"
	seen.Logs = append(seen.Logs, LogEntry{running, "info", "The execution started."})
	if now.Before(ended) {
		return seen
	}
	seen.CompletedAt = &ended
	if run.fails {
		seen.Status = "failed"
		seen.Logs = append(seen.Logs, LogEntry{ended, "error", "The execution failed, as its payload asked for."})
		return seen
	}
	seen.Status = "completed"
	seen.Logs = append(seen.Logs, LogEntry{ended, "info", "The execution completed."})
	return seen
}

func (s *Server) getExecutionByID(q *request) (any, error) {
	id := q.path("execution_id")
	for _, run := range q.account.executions {
		if run.id == id {
			return s.at(q.now, run), nil
		}
	}
	return nil, refuse(http.StatusNotFound, codeNotFound, "execution %q does not exist", id)
}

// listExecutions answers the oldest first.
func (s *Server) listExecutions(q *request) (any, error) {
	list := []Execution{}
	for _, run := range q.account.executions {
		list = append(list, s.at(q.now, run))
	}
	return list, nil
}
