package managed

import (
	"context"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// Run is a run for an object that keeps a state.
type Run[T object.Managed] struct {
	*engine.Run[T]
	// conflicting are the other live objects that stand for the same thing.
	conflicting []object.Managed
	// wanted tells that somebody waits for this run: a change, a request, a
	// deletion. Otherwise it is a look in the background.
	wanted bool
	// urgent tells that this run is not wanted, but must not wait behind looks.
	urgent bool
	// changed tells that spec, or what it refers to, is not what it was.
	changed bool
	// corrected stands for the differences that were corrected last, if the answer did
	// not tell that they are gone.
	corrected string
	// interval until the next look.
	interval time.Duration
	// fresh tells that nothing was tried before that may have made what the object stands for.
	fresh bool
	// begun is the origin annotation of a creation that begins anew.
	begun string
	// held tells that this run has put the finalizer on, vanished that the object is gone nevertheless.
	held, vanished bool
}

// Begin finds out whether anybody waits for a run, and whether there is anything to do before the next look. One object of an
// identity has a run at a time.
func (r *Reconciler[T, R]) Begin(ctx context.Context, base *engine.Run[T]) (*Run[T], time.Duration, error) {
	release, ok := r.locks.Take(r.Environments.Places(object.EnvironmentOf(base.Obj)), base.Account.ID, r.Resource.Identities(base.Obj))
	if !ok {
		return nil, 0, condition.ErrStale
	}
	base.Release = release
	run := &Run[T]{Run: base, interval: r.interval(base), vanished: r.lostObjects.isLost(base.Obj)}
	var err error
	if run.conflicting, err = r.conflicting(ctx, run.Obj, run.Account.ID); err != nil {
		return nil, 0, err
	}
	run.Fingerprint.Oldest = oldest(run.Obj, run.conflicting).GetUID()
	unknown := run.Memory.Fingerprint == memory.Fingerprint{}
	if unknown { // since the operator started
		run.recall()
	}
	if run.Memory.Ready {
		run.Memory.Fingerprint.Environment = run.Fingerprint.Environment
	}
	before := run.Memory.Fingerprint
	run.wanted, run.corrected = run.Memory.Open || before != run.Fingerprint, run.Memory.Wrote
	run.changed = before.Generation != run.Fingerprint.Generation || before.Inputs != run.Fingerprint.Inputs
	run.Calm = !run.wanted && run.Memory.Ready
	if before.Oldest != run.Fingerprint.Oldest {
		r.wakeConflicting(run)
	}
	if unknown && run.Calm {
		run.Memory.At = r.Clock.Now().Add(r.Settings.Spread(run.interval)) // not all at once
		run.Remember()
	}
	rest := r.rest(ctx, run)
	run.First = run.urgent || run.wanted && !run.Retry() // or those that fail would keep everybody else waiting
	run.Background = !run.First
	return run, rest, nil
}

// recall takes what the last finished run was about from the status: nothing else knows after a restart.
func (run *Run[T]) recall() {
	status := run.Obj.CommonStatus()
	if object.ConditionsOf(run.Obj).Settled(run.Obj.GetGeneration()) {
		run.Memory.Fingerprint = run.Fingerprint
		if status.LastHandledReconcileAt != run.Requested {
			run.Memory.Fingerprint.Request = ""
		}
		if !run.Memory.Inputs.IsIn(run.Obj) {
			run.Memory.Fingerprint.Inputs = inputs.UnknownEdition
		}
	}
	run.Memory.Ready = object.ConditionsOf(run.Obj).IsReady(run.Obj.GetGeneration())
	run.Memory.Unmade = run.Memory.Unmade || object.WasRefused(run.Obj)
}

// interval is how often an object is looked at.
func (r *Reconciler[T, R]) interval(run *engine.Run[T]) time.Duration {
	interval := r.Settings.SyncInterval
	if run.Env != nil {
		interval = run.Env.Settings().SyncInterval.Value(interval)
	}
	interval = run.Obj.CommonSpec().SyncInterval.Value(interval)
	switch {
	case interval == 0 && run.Deleting(): // what was refused once must not stay for good
		return engine.UsualInterval
	case interval == 0:
		return engine.Never
	}
	return r.Environments.Of(object.EnvironmentOf(run.Obj)).ResyncInterval(interval)
}

// rest is how long there is nothing to do before the next look.
func (r *Reconciler[T, R]) rest(ctx context.Context, run *Run[T]) time.Duration {
	now, at := r.Clock.Now(), run.Memory.At
	paused := run.Retry() && run.Memory.Failure.Pauses(now)
	switch {
	case paused:
		at = run.Memory.Failure.Until()
	case run.wanted:
		return 0
	}
	if !paused || !run.Memory.Wake.IsZero() { // what does not fail, such as a session token, goes on meanwhile
		due := r.Resource.Due(ctx, run.Obj)
		run.urgent = !due.IsZero() && !due.After(now)
		if !due.IsZero() && due.Before(at) {
			at = due
		}
	}
	return at.Sub(now)
}

// look sets what api goes by: how old lists may be, and that Cobalt itself is
// asked about what is going to be written.
func (run *Run[T]) look(api *environment.Remote) {
	api.Account, api.Awaited, api.MaxAge = run.Account.ID, run.awaited(), run.interval
	if run.awaited() {
		api.MaxAge = min(environment.NewsAge, run.interval)
	}
	recreated := run.Memory.Fingerprint.Account != "" && run.Memory.Fingerprint.Account != run.Fingerprint.Account
	// Once: what is written is looked at live in any case.
	api.Live = run.Obj.CommonStatus().ID != "" && (run.changed && !run.Retry() || recreated)
}

func (run *Run[T]) readOnly() bool {
	return run.Obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly
}

// awaited tells that somebody waits for what comes of this run.
func (run *Run[T]) awaited() bool { return run.wanted || run.urgent }

func (run *Run[T]) asCaller(ctx context.Context) context.Context {
	lane := ratelimit.Background
	if run.First {
		lane = ratelimit.Foreground
	}
	return ratelimit.WithCaller(ratelimit.WithTenant(ctx, run.Obj.GetNamespace()), lane, string(run.Obj.GetUID()))
}
