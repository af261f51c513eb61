package controller

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// pass is one reconcile of one object.
type pass[T Kept] struct {
	obj T
	// before is obj as the API server has it.
	before T
	// account is what obj belongs to, or what is known of that beside accountErr.
	account    owner
	accountErr error
	inputs     *Inputs
	// rivals are the other live objects that stand for the same thing.
	rivals []Kept
	// about is what this pass is about, last what is known of the one before.
	about about
	last  dueTime
	// wanted tells that somebody waits for this pass: a change, a request, a
	// deletion. Otherwise it is a look in the background.
	wanted bool
	// urgent tells that this pass is not wanted, but must not wait behind looks.
	urgent bool
	// retry tells that what this pass is about was tried before, and failed.
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
	// held tells that this pass has put the finalizer on, lost that obj is gone nevertheless.
	held, lost bool
	// wake is when the next pass is needed; zero leaves it to the interval.
	wake time.Time
}

// begin finds out what a pass is for. env is nil if there is none.
func (r *Reconciler[T, R]) begin(
	ctx context.Context, obj T, account owner, accountErr error, env EnvironmentObject, envErr error,
) (*pass[T], error) {
	key := client.ObjectKeyFromObject(obj)
	last := r.due.get(key, obj.GetUID())
	used, err := r.inputs.look(ctx, obj, r.Resource.Uses(obj), last.inputs)
	if err != nil {
		return nil, err
	}
	if last.inputs != used {
		last.inputs = used
		r.due.set(key, last)
	}
	rivals, err := r.rivals(ctx, obj, account.id)
	if err != nil {
		return nil, err
	}
	p := &pass[T]{
		obj: obj, before: obj.DeepCopyObject().(T), inputs: r.inputs.open(), rivals: rivals,
		account: account, accountErr: accountErr,
		about: about{
			obj.GetGeneration(), used.edition, requested(obj), generationOf(env), winner(obj, rivals).GetUID(), account.made, notAllowed(envErr),
		},
		epoch: r.environments.connections.of(environmentOf(obj)).gate.Epoch(),
	}
	p.last = r.due.forgive(key, last, p.about, p.epoch)
	p.retry = p.last.failure.Failing() && p.last.failure.like(p.about)
	restarted := p.last.about == about{}
	if restarted {
		p.recall()
	}
	if p.last.ready {
		p.last.about.environment = p.about.environment
	}
	p.wanted, p.wrote = p.last.open || p.last.about != p.about, p.last.wrote
	p.changed = p.last.about.generation != p.about.generation || p.last.about.inputs != p.about.inputs
	p.interval = r.interval(obj, env)
	if restarted && !p.wanted && p.last.ready {
		p.last.at = r.clock.Now().Add(r.options.Spread(p.interval)) // not all at once
		r.due.set(key, p.last)
	}
	return p, nil
}

// recall takes what the last finished pass was about from the status: nothing else knows after a restart.
func (p *pass[T]) recall() {
	status := p.obj.CommonStatus()
	if conditionsOf(p.obj).settled(p.obj.GetGeneration()) {
		p.last.about = p.about
		p.last.about.generation, p.last.about.request = status.ObservedGeneration, status.LastHandledReconcileAt
		if !p.last.inputs.isIn(p.obj) {
			p.last.about.inputs = unknownEdition
		}
	}
	p.last.ready = conditionsOf(p.obj).ready(p.obj.GetGeneration())
	p.last.unmade = p.last.unmade || wasRefused(p.obj)
}

// interval is how often obj is looked at.
func (r *Reconciler[T, R]) interval(obj T, env EnvironmentObject) time.Duration {
	interval := r.options.SyncInterval
	if env != nil {
		interval = env.Settings().SyncInterval.Value(interval)
	}
	interval = obj.CommonSpec().SyncInterval.Value(interval)
	switch {
	case interval == 0 && !obj.GetDeletionTimestamp().IsZero(): // what was refused once must not stay for good
		return usualInterval
	case interval == 0:
		return never
	}
	return r.environments.connections.of(environmentOf(obj)).stretched(interval)
}

func generationOf(env EnvironmentObject) int64 {
	if env == nil {
		return 0
	}
	return env.GetGeneration()
}

// rest tells whether there is nothing to do before the next look, and how long
// that is.
func (r *Reconciler[T, R]) rest(ctx context.Context, p *pass[T]) (time.Duration, bool) {
	now, at := r.clock.Now(), p.last.at
	if p.retry && p.last.failure.Pauses(now) {
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
func (r *Reconciler[T, R]) pause(ctx context.Context, p *pass[T], now time.Time) (time.Duration, bool) {
	until := p.last.failure.Until()
	if !p.last.wake.IsZero() {
		due := r.Resource.Due(ctx, p.obj)
		p.urgent = !due.IsZero() && !due.After(now)
		until = earlier(until, due)
	}
	return until.Sub(now), !p.urgent
}

// look sets what api goes by: how old lists may be, and that Cobalt itself is
// asked about what is going to be written.
func (p *pass[T]) look(api *View) {
	api.account, api.news, api.maxAge = p.account.id, p.news(), p.interval
	if p.news() {
		api.maxAge = min(newsAge, p.interval)
	}
	recreated := p.last.about.account != "" && p.last.about.account != p.about.account
	api.live = p.obj.CommonStatus().ID != "" && (p.changed && !p.retry || recreated) // once: what is written is looked at live in any case
}

func (p *pass[T]) readOnly() bool {
	return p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly
}

// comeBack is a result at the priority that the pass has.
func (p *pass[T]) comeBack(after time.Duration) ctrl.Result {
	if p.first() {
		return ctrl.Result{RequeueAfter: after}
	}
	return background(after)
}

// first tells that this pass goes before those that nobody waits for. What has failed
// does not, or those that fail would keep everybody else waiting.
func (p *pass[T]) first() bool { return p.urgent || p.wanted && !p.retry }

// news tells that somebody waits for what comes of this pass.
func (p *pass[T]) news() bool { return p.wanted || p.urgent }

func (p *pass[T]) asCaller(ctx context.Context) context.Context {
	lane := cobalt.Background
	if p.first() {
		lane = cobalt.Foreground
	}
	return cobalt.WithCaller(cobalt.WithTenant(ctx, p.obj.GetNamespace()), lane, string(p.obj.GetUID()))
}
