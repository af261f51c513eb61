// Package pace holds the calls of everybody who uses one API key to one limit.
package pace

import (
	"sync"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// Pacemaker has one limiter for each realm, an endpoint with a key: the API
// counts the calls of a key, however many environments use it.
type Pacemaker struct {
	clock clock.Clock

	mu     sync.Mutex
	realms map[string]*pace
}

// pace is the limiter of one realm and what each environment there allows.
type pace struct {
	limiter *cobalt.Limiter
	limits  map[string]v1alpha1.RateLimit
}

// New returns a pacemaker without limiters.
func New(c clock.Clock) *Pacemaker {
	return &Pacemaker{clock: c, realms: map[string]*pace{}}
}

// Limiter returns the limiter of a realm, with the lowest of the limits that
// its environments ask for. An environment is in one realm at a time.
func (m *Pacemaker) Limiter(environment, realm string, limit v1alpha1.RateLimit) *cobalt.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leave(environment, realm)
	p := m.realms[realm]
	if p == nil {
		p = &pace{
			limiter: cobalt.NewLimiter(float64(limit.RequestsPerSecond), int(limit.Burst), m.clock),
			limits:  map[string]v1alpha1.RateLimit{},
		}
		m.realms[realm] = p
	}
	p.limits[environment] = limit
	for _, other := range p.limits {
		limit.RequestsPerSecond = min(limit.RequestsPerSecond, other.RequestsPerSecond)
		limit.Burst = min(limit.Burst, other.Burst)
	}
	p.limiter.SetLimit(float64(limit.RequestsPerSecond), int(limit.Burst))
	return p.limiter
}

// Forget takes an environment that is gone into account no longer.
func (m *Pacemaker) Forget(environment string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leave(environment, "")
}

// leave takes an environment out of all realms but one.
func (m *Pacemaker) leave(environment, but string) {
	for realm, p := range m.realms {
		if realm == but {
			continue
		}
		if delete(p.limits, environment); len(p.limits) == 0 {
			delete(m.realms, realm)
		}
	}
}
