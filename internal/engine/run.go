package engine

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// Run is one reconcile of one object.
type Run[T object.Managed] struct {
	obj T
	// before is obj as the API server has it.
	before T
	// account is what obj belongs to, or what is known of that beside accountErr.
	account    account.Owner
	accountErr error
	inputs     *inputs.Reader
	// conflicting are the other live objects that stand for the same thing.
	conflicting []object.Managed
	// fingerprint is what this run is about, memory what is known of the one before.
	fingerprint fingerprint
	memory      Memory
	// wanted tells that somebody waits for this run: a change, a request, a
	// deletion. Otherwise it is a look in the background.
	wanted bool
	// urgent tells that this run is not wanted, but must not wait behind looks.
	urgent bool
	// retry tells that what this run is about was tried before, and failed.
	retry bool
	// epoch is that of the environment's client.
	epoch int
	// changed tells that spec, or what it refers to, is not what it was.
	changed bool
	// wrote stands for the differences that were corrected last, if the answer did
	// not tell that they are gone.
	wrote string
	// interval until the next look.
	interval time.Duration
	// fresh tells that nothing was tried before that may have made what obj stands for.
	fresh bool
	// begun is the origin annotation of a creation that begins anew.
	begun string
	// held tells that this run has put the finalizer on, lost that obj is gone nevertheless.
	held, lost bool
	// wake is when the next run is needed; zero leaves it to the interval.
	wake time.Time
}

// begin finds out what a run is for. env is nil if there is none.
func (r *Managed[T, R]) begin(
	ctx context.Context, obj T, owner account.Owner, accountErr error, env object.Environment, envErr error,
) (*Run[T], error) {
	key := client.ObjectKeyFromObject(obj)
	last, err := remembered(ctx, &r.Core, obj, r.Resource.Uses(obj))
	if err != nil {
		return nil, err
	}
	conflicting, err := r.conflicting(ctx, obj, owner.ID)
	if err != nil {
		return nil, err
	}
	p := &Run[T]{
		obj: obj, before: obj.DeepCopyObject().(T), inputs: r.Inputs.Open(), conflicting: conflicting,
		account: owner, accountErr: accountErr,
		fingerprint: fingerprint{
			obj.GetGeneration(), last.inputs.Edition, object.Requested(obj), object.GenerationOf(env), oldest(obj, conflicting).GetUID(), owner.Made,
			environment.NotAllowed(envErr),
		},
		epoch: r.Environments.Of(object.EnvironmentOf(obj)).Breaker.Epoch(),
	}
	p.memory = r.Memories.forgive(key, last, p.fingerprint, p.epoch)
	p.retry = p.memory.failure.Failing() && p.memory.failure.like(p.fingerprint)
	restarted := p.memory.fingerprint == fingerprint{}
	if restarted {
		p.recall()
	}
	if p.memory.Ready {
		p.memory.fingerprint.environment = p.fingerprint.environment
	}
	p.wanted, p.wrote = p.memory.open || p.memory.fingerprint != p.fingerprint, p.memory.wrote
	p.changed = p.memory.fingerprint.generation != p.fingerprint.generation || p.memory.fingerprint.inputs != p.fingerprint.inputs
	p.interval = r.interval(obj, env)
	if restarted && !p.wanted && p.memory.Ready {
		p.memory.at = r.Clock.Now().Add(r.Settings.Spread(p.interval)) // not all at once
		r.Memories.Set(key, p.memory)
	}
	return p, nil
}

// recall takes what the last finished run was about from the status: nothing else knows after a restart.
func (p *Run[T]) recall() {
	status := p.obj.CommonStatus()
	if object.ConditionsOf(p.obj).Settled(p.obj.GetGeneration()) {
		p.memory.fingerprint = p.fingerprint
		p.memory.fingerprint.generation, p.memory.fingerprint.request = status.ObservedGeneration, status.LastHandledReconcileAt
		if !p.memory.inputs.IsIn(p.obj) {
			p.memory.fingerprint.inputs = inputs.UnknownEdition
		}
	}
	p.memory.Ready = object.ConditionsOf(p.obj).IsReady(p.obj.GetGeneration())
	p.memory.unmade = p.memory.unmade || object.WasRefused(p.obj)
}

// interval is how often obj is looked at.
func (r *Managed[T, R]) interval(obj T, env object.Environment) time.Duration {
	interval := r.Settings.SyncInterval
	if env != nil {
		interval = env.Settings().SyncInterval.Value(interval)
	}
	interval = obj.CommonSpec().SyncInterval.Value(interval)
	switch {
	case interval == 0 && !obj.GetDeletionTimestamp().IsZero(): // what was refused once must not stay for good
		return UsualInterval
	case interval == 0:
		return Never
	}
	return r.Environments.Of(object.EnvironmentOf(obj)).ResyncInterval(interval)
}

// rest tells whether there is nothing to do before the next look, and how long
// that is.
func (r *Managed[T, R]) rest(ctx context.Context, p *Run[T]) (time.Duration, bool) {
	now, at := r.Clock.Now(), p.memory.at
	if p.retry && p.memory.failure.Pauses(now) {
		return r.pause(ctx, p, now)
	}
	if p.wanted {
		return 0, false
	}
	if due := r.Resource.Due(ctx, p.obj); !due.IsZero() {
		p.urgent = !due.After(now)
		if due.Before(at) {
			at = due
		}
	}
	left := at.Sub(now)
	return left, left > 0
}

// pause tells how long it is until the next try of what fails. What does not fail, such
// as a session token, goes on meanwhile.
func (r *Managed[T, R]) pause(ctx context.Context, p *Run[T], now time.Time) (time.Duration, bool) {
	until := p.memory.failure.Until()
	if !p.memory.wake.IsZero() {
		due := r.Resource.Due(ctx, p.obj)
		p.urgent = !due.IsZero() && !due.After(now)
		until = Earlier(until, due)
	}
	return until.Sub(now), !p.urgent
}

// look sets what api goes by: how old lists may be, and that Cobalt itself is
// asked about what is going to be written.
func (p *Run[T]) look(api *environment.Remote) {
	api.Account, api.Awaited, api.MaxAge = p.account.ID, p.awaited(), p.interval
	if p.awaited() {
		api.MaxAge = min(environment.NewsAge, p.interval)
	}
	recreated := p.memory.fingerprint.account != "" && p.memory.fingerprint.account != p.fingerprint.account
	api.Live = p.obj.CommonStatus().ID != "" && (p.changed && !p.retry || recreated) // once: what is written is looked at live in any case
}

func (p *Run[T]) readOnly() bool {
	return p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly
}

// comeBack is a result at the priority that the run has.
func (p *Run[T]) comeBack(after time.Duration) ctrl.Result {
	if p.first() {
		return ctrl.Result{RequeueAfter: after}
	}
	return Background(after)
}

// first tells that this run goes before those that nobody waits for. What has failed
// does not, or those that fail would keep everybody else waiting.
func (p *Run[T]) first() bool { return p.urgent || p.wanted && !p.retry }

// awaited tells that somebody waits for what comes of this run.
func (p *Run[T]) awaited() bool { return p.wanted || p.urgent }

func (p *Run[T]) asCaller(ctx context.Context) context.Context {
	lane := ratelimit.Background
	if p.first() {
		lane = ratelimit.Foreground
	}
	return ratelimit.WithCaller(ratelimit.WithTenant(ctx, p.obj.GetNamespace()), lane, string(p.obj.GetUID()))
}
