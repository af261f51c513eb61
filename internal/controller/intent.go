package controller

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
)

// attempts remembers what came of calls that must not be made twice until the
// status says so: the API server may be away just then. A crash forgets it, and
// then nobody knows.
type attempts struct {
	mu      sync.Mutex
	results map[string]result // by attempt id
}

// result is what came of one call.
type result struct {
	// answer is what Cobalt said; nil beside err.
	answer any
	err    error
	// unwritten tells that err is about the intent, and that there was no call.
	unwritten bool
}

func newAttempts() *attempts { return &attempts{results: map[string]result{}} }

func (a *attempts) of(id string) (result, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.results[id]
	return r, ok
}

func (a *attempts) set(id string, r result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.results[id] = r
}

func (a *attempts) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.results, id)
}

// errNotCalled is the result of an attempt that got no further than its intent.
var errNotCalled = &cobalt.TransportError{}

// newIntent names an attempt at what hash stands for.
func newIntent(hash string, now time.Time) v1alpha1.Intent {
	return v1alpha1.Intent{Hash: hash, AttemptID: rand.Text()[:attemptLength], Time: stamp(now)}
}

// attemptLength is short enough to be typed.
const attemptLength = 13

// stamp is a time as the status has it.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }

// attempt makes a call that must not be made twice: the intent, which obj carries
// in its status, is written first, and only if obj is the newest version. What
// comes of the call is remembered until settle has seen the status without the intent.
func (t *actionRun[T]) attempt(ctx context.Context, id string, call func(context.Context) (any, error)) result {
	if err := t.flow.settings.Lifetime.MayBegin(); err != nil { // nor an intent that would be found without an outcome
		return result{err: err, unwritten: true}
	}
	release, ok := t.flow.accounts.Remade.Use(t.account)
	if !ok { // since this run began
		return result{err: condition.ErrStale, unwritten: true}
	}
	defer release()
	memory := t.flow.attempts
	memory.set(id, result{err: errNotCalled})
	if err := t.commit(ctx); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			memory.forget(id) // nobody will find it
		}
		return result{err: err, unwritten: true} // or written: the call was not made
	}
	var r result
	r.answer, r.err = call(ctx)
	memory.set(id, r)
	return r
}

// outcomeOf returns what came of an attempt whose intent obj carries; false if
// nobody knows any more. A cache that lags behind looks the same, so the API
// server is asked first.
func (t *actionRun[T]) outcomeOf(ctx context.Context, id string, intentOf func(T) string) (result, bool, error) {
	if r, ok := t.flow.attempts.of(id); ok {
		return r, true, nil
	}
	newest := t.flow.prototype.DeepCopyObject().(T)
	if err := t.flow.live.Get(ctx, client.ObjectKeyFromObject(t.obj), newest); err != nil {
		return result{}, false, err
	}
	if newest.GetUID() != t.obj.GetUID() || intentOf(newest) != id {
		return result{}, false, condition.ErrStale
	}
	return result{}, false, nil
}

// unknown tells whether the call of an attempt may have worked although it failed.
func (r result) unknown() bool { return r.err != nil && cobalt.OutcomeUnknown(r.err) }

// noClearEnd says why nobody knows what came of a call. No cause is known of one
// that was under way when the operator stopped.
func noClearEnd(cause error) string {
	if cause == nil {
		return "the operator stopped before it could note the answer"
	}
	return "the call had no clear end (" + cause.Error() + ")"
}
