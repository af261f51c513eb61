package engine

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
)

// The pauses between tries of what fails.
const (
	ShortestPause = time.Second
	LongestPause  = 5 * time.Minute
)

// failure is what is known of the last try, if it failed: the pause until the next
// one, and what it was about.
type failure struct {
	backoff.Backoff
	fingerprint fingerprint
	// epoch is that of the client that it was made with.
	epoch int
	// aside tells that it was a look at what goes on, which keeps nothing from being begun.
	aside bool
}

// over tells whether what was tried is not what is to be tried now: the user has
// changed it, or it goes to another place or with another key.
func (f failure) over(now fingerprint, epoch int) bool {
	tried := f.fingerprint != fingerprint{}
	return tried && (f.fingerprint.generation != now.generation || f.fingerprint.inputs != now.inputs || f.epoch != epoch)
}

// like tells whether the last try was about the same.
func (f failure) like(now fingerprint) bool {
	now.environment = f.fingerprint.environment // of which the epoch tells what matters
	return f.fingerprint == now
}

// forgive lets an object begin anew whose last try is not what is to be tried now.
func (d *Memories) forgive(key types.NamespacedName, entry Memory, now fingerprint, epoch int) Memory {
	if entry.failure.over(now, epoch) {
		entry.failure, entry.wake = failure{}, time.Time{}
		d.Set(key, entry)
	}
	return entry
}

// memories is the rate limiter of the work queue as well. Of its own, the queue forgets
// what failed whenever an object comes back for another cause.
var _ workqueue.TypedRateLimiter[ctrl.Request] = &Memories{}

// When counts a failure, and returns the time until the next try.
func (d *Memories) When(request ctrl.Request) time.Duration {
	return d.failed(request.NamespacedName, 0)
}

// failed counts a failure, and returns the time until the next try, which is not before
// the API wants it. A try that somebody asked for during a pause does not change that.
func (d *Memories) failed(key types.NamespacedName, notBefore time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry, now := d.objects[key], d.clock.Now()
	if !entry.failure.Pauses(now) {
		entry.failure.Backoff = entry.failure.Failed(now, d.pauses)
	}
	entry.failure.Backoff = entry.failure.NotBefore(now.Add(notBefore))
	d.objects[key] = entry
	until := entry.failure.Until()
	if entry.wake.After(now) {
		until = Earlier(until, entry.wake)
	}
	return until.Sub(now)
}

// Forget does nothing: an object that comes back for another cause has not succeeded.
func (d *Memories) Forget(ctrl.Request) {}

// NumRequeues tells whether an object fails.
func (d *Memories) NumRequeues(request ctrl.Request) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.objects[request.NamespacedName].failure.Failing() {
		return 1
	}
	return 0
}

// Requeue says when to come back after a step that says nothing in the status.
func (d *Memories) Requeue(key types.NamespacedName, err error) (ctrl.Result, error) {
	switch o := condition.Classify(err); {
	case o.Conflict:
		return ctrl.Result{RequeueAfter: d.Refused(key)}, nil
	case o.Again:
		return ctrl.Result{RequeueAfter: d.conflicts.Shortest}, nil
	default:
		return ctrl.Result{RequeueAfter: o.After}, o.Err
	}
}

// Refused counts a write that the API server refused because it has another version, or
// none, and returns the time until the next try.
func (d *Memories) Refused(key types.NamespacedName) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry, now := d.objects[key], d.clock.Now()
	entry.conflict = entry.conflict.Failed(now, d.conflicts)
	d.objects[key] = entry
	return entry.conflict.Until().Sub(now)
}
