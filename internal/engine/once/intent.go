package once

import (
	"context"
	"crypto/rand"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Result is what came of one call.
type Result struct {
	// Answer is what Cobalt said; nil beside err.
	Answer any
	Err    error
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
// comes of the call is remembered until the status tells it.
func (run *Run[T]) Attempt(ctx context.Context, call func(context.Context) (any, error)) Result {
	if err := run.Core.Settings.Lifetime.MayBegin(); err != nil { // nor an intent that would be found without an outcome
		return Result{Err: err}
	}
	release, ok := run.Core.Accounts.Remade.Use(run.Account)
	if !ok { // since this run began
		return Result{Err: condition.ErrStale}
	}
	defer release()
	id, results := run.intent(run.Obj), &run.reconciler.attempts
	results.Store(id, Result{Err: ErrNotCalled})
	if err := run.Commit(ctx); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			results.Delete(id) // nobody will find it
		}
		return Result{Err: err} // although it may be written: the call was not made
	}
	var r Result
	r.Answer, r.Err = call(ctx)
	results.Store(id, r)
	return r
}

// intent is the id of the attempt whose intent obj carries; empty for none.
func (run *Run[T]) intent(obj T) string {
	if intent := run.reconciler.Action.Intent(obj); intent != nil {
		return intent.AttemptID
	}
	return ""
}

// Commit is that of Run, and forgets what came of an attempt that the status tells of from now on.
func (run *Run[T]) Commit(ctx context.Context) error {
	before := run.intent(run.Before)
	err := run.Run.Commit(ctx)
	if err == nil && before != run.intent(run.Obj) {
		run.reconciler.attempts.Delete(before)
	}
	return err
}

// Outcome returns what came of the attempt whose intent the object carries; false if
// nobody knows any more. A cache that lags behind looks the same, so the API
// server is asked first.
func (run *Run[T]) Outcome(ctx context.Context) (Result, bool, error) {
	id := run.intent(run.Obj)
	if known, ok := run.reconciler.attempts.Load(id); ok {
		return known.(Result), true, nil
	}
	newest := run.Core.New()
	if err := run.Core.Live.Get(ctx, client.ObjectKeyFromObject(run.Obj), newest); err != nil {
		return Result{}, false, err
	}
	if newest.GetUID() != run.Obj.GetUID() || run.intent(newest) != id {
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

// SameAccount makes sure that the account of an object is what the cache says, before
// anything is done that cannot be taken back.
func (run *Run[T]) SameAccount(ctx context.Context) error {
	if run.Account.Linked.Name == "" {
		return nil
	}
	now := &v1alpha1.LinkedAccount{}
	if err := run.Core.Live.Get(ctx, run.Account.Linked, now); err != nil {
		return err
	}
	if now.Status.ID != run.Account.Made || object.Vanished(now) || !now.DeletionTimestamp.IsZero() {
		return condition.ErrStale
	}
	return nil
}
