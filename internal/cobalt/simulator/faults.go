package simulator

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// FaultHeader is set on every answer that a fault has spoiled, so that a check
// of answers against the contract can let it pass.
const FaultHeader = "X-Simulator-Fault"

// HangUp says whether the connection is closed without an answer, and when.
// Go's HTTP client by itself repeats a GET that meets this on a connection it
// has used before, so that such a call may come twice.
type HangUp string

const (
	// HangUpBefore hangs up before the work is done.
	HangUpBefore HangUp = "before"
	// HangUpAfter hangs up after the work is done.
	HangUpAfter HangUp = "after"
)

// Fault spoils calls. Which ones: those that match all of Operation, Method,
// Path and Account that are set. If several faults match a call, it meets the
// one that was injected first.
type Fault struct {
	Operation string `json:"operation,omitempty"` // operationId
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"` // as in the contract, such as /public/config/{config_id}
	// Account is the account that a call names, whether or not it exists: in
	// its path, header or body, or as the one of its session token.
	Account string `json:"linked_account_id,omitempty"`
	// Times is how many calls it spoils; 0 is all until ClearFaults.
	Times int `json:"times,omitempty"`

	// Delay comes before the work, or before the answer if WorkDone is set. It
	// ends early if the caller hangs up, and then the work is not done.
	Delay time.Duration `json:"-"`
	// HangUp closes the connection in the place of an answer.
	HangUp HangUp `json:"hang_up,omitempty"`
	// Status answers an error in the place of the work.
	Status     int    `json:"status,omitempty"`
	RetryAfter string `json:"retry_after,omitempty"`
	// Body answers this text in the place of the work, with Status or 200 and
	// with ContentType or text/html.
	Body        string `json:"body,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	// Truncate hangs up in the middle of the answer, after the work is done.
	Truncate bool `json:"truncate,omitempty"`
	// WorkDone has the work done before a Delay, Status or Body, as when a
	// gateway gives up on a server that does not.
	WorkDone bool `json:"work_done,omitempty"`
}

// Inject adds a fault. It panics on one that could never do anything, such as
// one for an operation that does not exist.
func (s *Server) Inject(f Fault) {
	if err := f.validate(); err != nil {
		panic(fmt.Sprintf("simulator: %v", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// nextFault is the fault that a call meets; the zero Fault does nothing.
func (s *Server) nextFault(q *request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.accountNamed(q)
	i := slices.IndexFunc(s.faults, func(f *Fault) bool {
		return f.matches(q.route) && (f.Account == "" || f.Account == account)
	})
	if i < 0 {
		return Fault{}
	}
	fault := s.faults[i]
	q.call.LinkedAccountID = account // which the work notes, if it is done
	if fault.Times == 1 {
		s.faults = slices.Delete(s.faults, i, i+1)
	} else if fault.Times > 1 {
		fault.Times--
	}
	return *fault
}

func (f Fault) validate() error {
	switch {
	case !slices.ContainsFunc(routes, f.matches):
		return fmt.Errorf("no operation matches operation %q, method %q, path %q, account %q", f.Operation, f.Method, f.Path, f.Account)
	case f.HangUp != "" && f.HangUp != HangUpBefore && f.HangUp != HangUpAfter:
		return fmt.Errorf("hang-up must be %q or %q, not %q", HangUpBefore, HangUpAfter, f.HangUp)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status must be 200 to 599, not %d", f.Status)
	case f.Times < 0, f.Delay < 0:
		return fmt.Errorf("times and delay must not be negative")
	case f.Delay == 0 && f.HangUp == "" && !f.replacesAnswer() && !f.Truncate:
		return fmt.Errorf("the fault does nothing: set one of delay, hang-up, status, body, truncate")
	}
	return nil
}

// matches says whether some calls of the route are among those to spoil.
func (f Fault) matches(r route) bool {
	is := func(wanted, actual string) bool { return wanted == "" || wanted == actual }
	return is(f.Operation, r.operation) && is(f.Method, r.method) && is(f.Path, r.path) && (f.Account == "" || r.scope != scopeNone)
}

func (f Fault) worksFirst() bool     { return f.WorkDone || f.HangUp == HangUpAfter }
func (f Fault) replacesAnswer() bool { return f.Status != 0 || f.Body != "" }

// wait lets the delay pass. A caller that hangs up meanwhile ends the call.
func (f Fault) wait(ctx context.Context) {
	if f.Delay == 0 {
		return
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

// answer is what the caller gets in the place of the operation's answer.
func (f Fault) answer() answer {
	var a answer
	if f.Body != "" {
		status, contentType := cmp.Or(f.Status, http.StatusOK), cmp.Or(f.ContentType, "text/html; charset=utf-8")
		a = answer{status: status, contentType: contentType, body: []byte(f.Body)}
	} else {
		a = refused(refuse(f.Status, codeServer, "a fault injected into the simulator"))
	}
	a.retryAfter, a.fault = f.RetryAfter, "injected"
	return a
}
