package environment

import (
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// longestProbesPause is the longest pause between two probes of what fails.
const longestProbesPause = time.Minute

// probeState is what the reconciler of an environment remembers from one run to the next, of
// which there is one at a time.
type probeState struct {
	clock clock.PassiveClock
	// version stands for what the clients were made from, and is empty while that is not to be
	// found; identity stands for the contents, inputs for what is known of them.
	version, identity string
	inputs            inputs.Used
	// worked is the client that last was accepted, replaced when a key that had worked was
	// replaced by another, which has not been accepted yet.
	worked   *cobalt.Client
	replaced time.Time
	// record is what the endpoint is recognised by once it was verified.
	record string
	// verdict is what the last probe said, and pause the time until the next one, before
	// which a failure is not asked for again.
	verdict error
	pause   backoff.Backoff
	// acceptance is the accept annotation that was last looked at.
	acceptance string
	// untold tells that the status does not have what the last run found. Then the next one
	// probes again: what goes with a verdict is only in that status.
	untold     bool
	firstReady metrics.FirstReady
}

// probeStates are those of all environments of a kind.
type probeStates struct {
	clock clock.PassiveClock

	mu    sync.Mutex
	byKey map[object.EnvironmentKey]*probeState
}

func newProbeStates(c clock.PassiveClock) *probeStates {
	return &probeStates{clock: c, byKey: map[object.EnvironmentKey]*probeState{}}
}

func (s *probeStates) of(key object.EnvironmentKey) *probeState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.byKey[key]
	if state == nil {
		state = &probeState{clock: s.clock}
		s.byKey[key] = state
	}
	return state
}

func (s *probeStates) forget(key object.EnvironmentKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// uses notes that there are new clients, of these contents.
func (s *probeState) uses(version, identity string) {
	if s.worked != nil {
		s.replaced = s.clock.Now()
	}
	s.version, s.identity, s.record = version, identity, ""
	s.verdict, s.pause = nil, backoff.Backoff{}
}

// accepted notes that the API accepted the key of a client.
func (s *probeState) accepted(api *cobalt.Client) {
	s.worked, s.replaced = api, time.Time{}
	s.verdict, s.pause = nil, backoff.Backoff{}
}

// failed notes what a probe said. The next one comes after a pause, and after one that
// grows with each probe that fails.
func (s *probeState) failed(verdict error, pause time.Duration, grows bool) {
	now := s.clock.Now()
	if grows {
		s.pause = s.pause.Failed(now, backoff.Limits{Shortest: memory.ShortestPause, Longest: longestProbesPause})
	}
	s.verdict, s.pause = verdict, s.pause.NotBefore(now.Add(pause))
}

// held returns what the last probe said if it is too early for another.
func (s *probeState) held() error {
	if s.pause.Pauses(s.clock.Now()) {
		return s.verdict
	}
	return nil
}

// says tells whether an error is what the last probe said.
func (s *probeState) says(err error) bool { return err != nil && errors.Is(err, s.verdict) }

// untilProbe is the time left until the next probe of an API that failed; it may be due
// by now.
func (s *probeState) untilProbe() time.Duration {
	return max(s.pause.Until().Sub(s.clock.Now()), time.Millisecond)
}

// newly tells whether the accept annotation says something that it did not before.
func (s *probeState) newly(acceptance string) (news bool) {
	news = acceptance != "" && acceptance != s.acceptance
	s.acceptance = acceptance
	return news
}

// recordOf returns the record of an endpoint, and whether that is where the clients led
// before: by what is remembered, or else by what was recorded in the status, which may be
// a version behind.
func (s *probeState) recordOf(where *environment.Endpoint, recorded string) (record string, same bool) {
	switch {
	case s.record != "":
		return s.record, true
	case where.Made(recorded):
		return recorded, true
	}
	return where.Record(), where.Is(recorded)
}
