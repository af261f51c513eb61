package ratelimit

import (
	"sync"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Limiters has one limiter for each endpoint, a base URL with a key: the API
// counts the calls of a key, however many environments use it.
type Limiters struct {
	clock clock.Clock

	mu     sync.Mutex
	shared map[string]*shared
}

// shared is the limiter of one endpoint and what each environment there allows.
type shared struct {
	limiter *Limiter
	limits  map[string]v1alpha1.RateLimit
}

// NewLimiters returns no limiters yet.
func NewLimiters(c clock.Clock) *Limiters {
	return &Limiters{clock: c, shared: map[string]*shared{}}
}

// For returns the limiter of an endpoint, with the lowest of the limits that
// its environments ask for. An environment has one endpoint at a time.
func (l *Limiters) For(environment, endpoint string, limit v1alpha1.RateLimit) *Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(environment, endpoint)
	s := l.shared[endpoint]
	if s == nil {
		s = &shared{
			limiter: New(float64(limit.RequestsPerSecond), int(limit.Burst), l.clock),
			limits:  map[string]v1alpha1.RateLimit{},
		}
		l.shared[endpoint] = s
	}
	s.limits[environment] = limit
	for _, other := range s.limits {
		limit.RequestsPerSecond = min(limit.RequestsPerSecond, other.RequestsPerSecond)
		limit.Burst = min(limit.Burst, other.Burst)
	}
	s.limiter.SetLimit(float64(limit.RequestsPerSecond), int(limit.Burst))
	return s.limiter
}

// Forget takes an environment that is gone into account no longer.
func (l *Limiters) Forget(environment string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(environment, "")
}

// leave takes an environment out of all shared but one.
func (l *Limiters) leave(environment, but string) {
	for endpoint, s := range l.shared {
		if endpoint == but {
			continue
		}
		if delete(s.limits, environment); len(s.limits) == 0 {
			delete(l.shared, endpoint)
		}
	}
}
