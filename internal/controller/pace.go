package controller

import (
	"sync"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// pacemaker has one limiter for each realm: the API counts the calls of a key,
// however many environments use it.
type pacemaker struct {
	clock clock.Clock

	mu     sync.Mutex
	realms map[string]*pace
}

// pace is the limiter of one realm and what each environment there allows.
type pace struct {
	limiter *cobalt.Limiter
	limits  map[environmentKey]v1alpha1.RateLimit
}

func newPacemaker(c clock.Clock) *pacemaker {
	return &pacemaker{clock: c, realms: map[string]*pace{}}
}

// limiter returns the limiter of a realm, with the lowest of the limits that
// its environments ask for. An environment is in one realm at a time.
func (m *pacemaker) limiter(env environmentKey, where *realm, limit v1alpha1.RateLimit) *cobalt.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := where.digest("pace")
	m.leave(env, id)
	p := m.realms[id]
	if p == nil {
		p = &pace{
			limiter: cobalt.NewLimiter(float64(limit.RequestsPerSecond), int(limit.Burst), m.clock),
			limits:  map[environmentKey]v1alpha1.RateLimit{},
		}
		m.realms[id] = p
	}
	p.limits[env] = limit
	for _, other := range p.limits {
		limit.RequestsPerSecond = min(limit.RequestsPerSecond, other.RequestsPerSecond)
		limit.Burst = min(limit.Burst, other.Burst)
	}
	p.limiter.SetLimit(float64(limit.RequestsPerSecond), int(limit.Burst))
	return p.limiter
}

// forget takes an environment that is gone into account no longer.
func (m *pacemaker) forget(env environmentKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leave(env, "")
}

// leave takes env out of all realms but one.
func (m *pacemaker) leave(env environmentKey, but string) {
	for id, p := range m.realms {
		if id == but {
			continue
		}
		if delete(p.limits, env); len(p.limits) == 0 {
			delete(m.realms, id)
		}
	}
}
