package engine

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
	results map[string]Result // by attempt id
}

// Result is what came of one call.
type Result struct {
	// Answer is what Cobalt said; nil beside err.
	Answer any
	Err    error
	// Unwritten tells that err is about the intent, and that there was no call.
	Unwritten bool
}

func newAttempts() *attempts { return &attempts{results: map[string]Result{}} }

func (a *attempts) of(id string) (Result, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.results[id]
	return r, ok
}

func (a *attempts) set(id string, r Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.results[id] = r
}

func (a *attempts) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.results, id)
}

// ErrNotCalled is the result of an attempt that got no further than its intent.
var ErrNotCalled = &cobalt.TransportError{}

// NewIntent names an attempt at what hash stands for.
func NewIntent(hash string, now time.Time) v1alpha1.Intent {
	return v1alpha1.Intent{Hash: hash, AttemptID: rand.Text()[:attemptLength], Time: Stamp(now)}
}

// attemptLength is short enough to be typed.
const attemptLength = 13

// Stamp is a time as the status has it.
func Stamp(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }

// Attempt makes a call that must not be made twice: the intent, which obj carries
// in its status, is written first, and only if obj is the newest version. What
// comes of the call is remembered until settle has seen the status without the intent.
func (t *OnceRun[T]) Attempt(ctx context.Context, id string, call func(context.Context) (any, error)) Result {
	if err := t.Flow.Settings.Lifetime.MayBegin(); err != nil { // nor an intent that would be found without an outcome
		return Result{Err: err, Unwritten: true}
	}
	release, ok := t.Flow.Accounts.Remade.Use(t.Account)
	if !ok { // since this run began
		return Result{Err: condition.ErrStale, Unwritten: true}
	}
	defer release()
	memory := t.Flow.attempts
	memory.set(id, Result{Err: ErrNotCalled})
	if err := t.Commit(ctx); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			memory.forget(id) // nobody will find it
		}
		return Result{Err: err, Unwritten: true} // or written: the call was not made
	}
	var r Result
	r.Answer, r.Err = call(ctx)
	memory.set(id, r)
	return r
}

// OutcomeOf returns what came of an attempt whose intent obj carries; false if
// nobody knows any more. A cache that lags behind looks the same, so the API
// server is asked first.
func (t *OnceRun[T]) OutcomeOf(ctx context.Context, id string, intentOf func(T) string) (Result, bool, error) {
	if r, ok := t.Flow.attempts.of(id); ok {
		return r, true, nil
	}
	newest := t.Flow.New()
	if err := t.Flow.Live.Get(ctx, client.ObjectKeyFromObject(t.Obj), newest); err != nil {
		return Result{}, false, err
	}
	if newest.GetUID() != t.Obj.GetUID() || intentOf(newest) != id {
		return Result{}, false, condition.ErrStale
	}
	return Result{}, false, nil
}

// Unknown tells whether the call of an attempt may have worked although it failed.
func (r Result) Unknown() bool { return r.Err != nil && cobalt.OutcomeUnknown(r.Err) }

// NoClearEnd says why nobody knows what came of a call. No cause is known of one
// that was under way when the operator stopped.
func NoClearEnd(cause error) string {
	if cause == nil {
		return "the operator stopped before it could note the answer"
	}
	return "the call had no clear end (" + cause.Error() + ")"
}
