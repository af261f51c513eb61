package simulator

import (
	"net/http"
	"slices"
	"time"
)

// logLimit bounds the log; half of it is dropped when it is full.
const logLimit = 100_000

// Call is one request that reached the API.
type Call struct {
	Operation       string    `json:"operation"`
	Method          string    `json:"method"`
	Path            string    `json:"path"`                  // as it was sent
	Environment     string    `json:"environment,omitempty"` // empty for unknown credentials
	LinkedAccountID string    `json:"linked_account_id,omitempty"`
	Status          int       `json:"status"` // 0: not answered, or not yet
	Time            time.Time `json:"time"`   // when it came
}

// Log returns the last calls, at most 100,000, in the order in which they came.
func (s *Server) Log() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := make([]Call, len(s.log))
	for i, call := range s.log {
		log[i] = *call
	}
	return log
}

// ResetCalls empties both Calls and Log.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	s.log = nil
}

func (s *Server) record(route route, r *http.Request) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[route.operation]++
	if len(s.log) >= logLimit {
		s.log = slices.Clone(s.log[logLimit/2:])
	}
	call := &Call{Operation: route.operation, Method: route.method, Path: r.URL.EscapedPath(), Time: s.options.Now().UTC()}
	s.log = append(s.log, call)
	return call
}

func (s *Server) conclude(call *Call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.Status = status
}
