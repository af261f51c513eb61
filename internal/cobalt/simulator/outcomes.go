package simulator

import (
	"cmp"
	"fmt"
	"net/http"
)

// Outcome is what becomes of the executions of a workflow. The zero Outcome has
// them completed, in the time that Options say.
type Outcome struct {
	// Status is the word that they end in; empty is completed. With running they
	// never end. Any word but those of the contract makes the answers that have it
	// count as spoiled, see FaultHeader.
	Status string `json:"status"`
	// Logs are messages that they log while they run.
	Logs []string `json:"logs"`
	// Untracked leaves their id out of the answer to the call that starts them, as
	// the contract allows.
	Untracked bool `json:"untracked"`
	// AnswerStatus is the HTTP status of that answer; 0 is 200. Workflows can set it
	// in Cobalt, and any other than 200 counts as spoiled.
	AnswerStatus int `json:"answer_status"`
}

// SetOutcome says what becomes of the executions of a workflow that start from now
// on, in every environment. It panics on an outcome that cannot be.
func (s *Server) SetOutcome(workflow string, outcome Outcome) {
	if err := outcome.validate(); err != nil {
		panic(fmt.Sprintf("simulator: %v", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[workflow] = outcome
}

func (o Outcome) validate() error {
	switch {
	case o.AnswerStatus != 0 && (o.AnswerStatus < 200 || o.AnswerStatus > 599):
		return fmt.Errorf("the status of an answer must be 200 to 599, not %d", o.AnswerStatus)
	case o.Status == statusPending:
		return fmt.Errorf("executions cannot end in %q; with %q they never end", statusPending, statusRunning)
	}
	return nil
}

// Start has a workflow executed for an account by somebody else: it is no call. It
// returns the execution's id, and panics if there is no such account.
func (s *Server) Start(environment, account, workflow string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start(s.environments[environment].accounts[account], workflow, nil).id
}

// Forget drops an execution, as Cobalt does with old ones: its id is unknown then.
func (s *Server) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, env := range s.environments {
		for _, a := range env.accounts {
			a.forget(id)
		}
	}
}

// started is the answer to a call that has started an execution.
func (q *request) started(run *execution, rest map[string]string) map[string]string {
	if !run.outcome.Untracked {
		rest["execution_id"] = run.id
	}
	if q.status = run.outcome.AnswerStatus; cmp.Or(q.status, http.StatusOK) != http.StatusOK {
		q.fault = "outcome"
	}
	return rest
}
