package memory

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
)

// The pauses between tries of what fails.
const (
	ShortestPause = time.Second
	LongestPause  = 5 * time.Minute
)

// Failure is what is known of the last try, if it failed: the pause until the next
// one, and what it was about.
type Failure struct {
	backoff.Backoff
	Fingerprint Fingerprint
	// Epoch is that of the client that it was made with.
	Epoch int
	// Aside tells that it was a look at what goes on, which keeps nothing from being begun.
	Aside bool
}

// over tells whether what was tried is not what is to be tried now: the user has
// changed it, or it goes to another place or with another key.
func (f Failure) over(now Fingerprint, epoch int) bool {
	tried := f.Fingerprint != Fingerprint{}
	return tried && (f.Fingerprint.Generation != now.Generation || f.Fingerprint.Inputs != now.Inputs || f.Epoch != epoch)
}

// Like tells whether the last try was about the same.
func (f Failure) Like(now Fingerprint) bool {
	now.Environment = f.Fingerprint.Environment // of which the epoch tells what matters
	return f.Fingerprint == now
}

// Forgive lets an object begin anew whose last try is not what is to be tried now.
func (s *Store) Forgive(key types.NamespacedName, m Memory, now Fingerprint, epoch int) Memory {
	if m.Failure.over(now, epoch) {
		m.Failure, m.Wake = Failure{}, time.Time{}
		s.Set(key, m)
	}
	return m
}

// Store is the rate limiter of the work queue as well. Of its own, the queue forgets
// what failed whenever an object comes back for another cause.
var _ workqueue.TypedRateLimiter[ctrl.Request] = &Store{}

// When counts a failure, and returns the time until the next try.
func (s *Store) When(request ctrl.Request) time.Duration {
	return s.Failed(request.NamespacedName, 0)
}

// Failed counts a failure, and returns the time until the next try, which is not before
// the API wants it. A try that somebody asked for during a pause does not change that.
func (s *Store) Failed(key types.NamespacedName, notBefore time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, now := s.get(key), s.clock.Now()
	if !m.Failure.Pauses(now) {
		m.Failure.Backoff = m.Failure.Failed(now, s.pauses)
	}
	m.Failure.Backoff = m.Failure.NotBefore(now.Add(notBefore))
	s.set(key, m)
	if until := m.Failure.Until(); m.Wake.After(now) && m.Wake.Before(until) {
		return m.Wake.Sub(now)
	}
	return m.Failure.Until().Sub(now)
}

// Forget does nothing: an object that comes back for another cause has not succeeded.
func (s *Store) Forget(ctrl.Request) {}

// NumRequeues tells whether an object fails.
func (s *Store) NumRequeues(request ctrl.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.get(request.NamespacedName).Failure.Failing() {
		return 1
	}
	return 0
}

// Refused counts a write that the API server refused because it has another version, or
// none, and returns the time until the next try.
func (s *Store) Refused(key types.NamespacedName) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, now := s.get(key), s.clock.Now()
	m.Conflict = m.Conflict.Failed(now, s.conflicts)
	s.set(key, m)
	return m.Conflict.Until().Sub(now)
}
