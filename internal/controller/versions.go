package controller

import (
	"sync"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// versions tell whether the cache shows of an environment what the API server has.
type versions struct {
	clock clock.PassiveClock

	mu sync.Mutex
	// seen is the version that the API server had when we last wrote or read it there.
	seen string
	lag  object.Lag
}

// saw notes the version that the API server has.
func (v *versions) saw(version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen = version
}

// unseen tells that it is not known yet which version the API server has.
func (v *versions) unseen() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.seen == ""
}

// lags tells whether env, from the cache, is older than what was seen.
func (v *versions) lags(env client.Object) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return object.OlderThan(env, v.seen)
}

// doubts returns what was seen of env, if that has not come to the cache for so long that
// it is to be asked for.
func (v *versions) doubts(env client.Object) (seen string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !object.OlderThan(env, v.seen) {
		v.lag = object.Lag{}
		return "", false
	}
	return v.seen, v.lag.Asks(v.clock.Now())
}
