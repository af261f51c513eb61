package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// pass is one reconcile of one object.
type pass[T Object] struct {
	obj T
	// before is obj as the API server has it.
	before T
	inputs *Inputs
	// rivals are the other live objects that stand for the same thing.
	rivals []Object
	// about is what this pass is about, last what is known of the one before.
	about about
	last  dueTime
	// wanted tells that somebody waits for this pass: a change, a request, a
	// deletion. Otherwise it is a look in the background.
	wanted bool
	// urgent tells that this pass is not wanted, but must not wait behind looks.
	urgent bool
	// interval until the next look.
	interval time.Duration
	// wake is when the next pass is needed; zero leaves it to the interval.
	wake time.Time
}

// begin finds out what a pass is for. env is nil if there is none.
func (r *Reconciler[T, R]) begin(ctx context.Context, obj T, env EnvironmentObject) (*pass[T], error) {
	version, err := r.inputs.version(ctx, r.Resource.References(obj))
	if err != nil {
		return nil, err
	}
	rivals, err := r.rivals(ctx, obj)
	if err != nil {
		return nil, err
	}
	p := &pass[T]{
		obj: obj, before: obj.DeepCopyObject().(T), inputs: r.inputs.open(), rivals: rivals,
		about: about{obj.GetGeneration(), version, requested(obj), generationOf(env), winner(obj, rivals).GetUID()},
		last:  r.due.get(client.ObjectKeyFromObject(obj), obj.GetUID()),
	}
	restarted := p.last.about == about{}
	if restarted && conditionsOf(obj).settled(obj.GetGeneration()) {
		status := obj.CommonStatus()
		p.last.about = about{status.ObservedGeneration, status.InputsVersion, status.LastHandledReconcileAt, p.about.environment, p.about.winner}
	}
	if restarted {
		p.last.ready = conditionsOf(obj).ready(obj.GetGeneration())
	}
	if p.last.ready {
		p.last.about.environment = p.about.environment
	}
	p.wanted = p.last.about != p.about
	p.interval = r.options.SyncInterval
	if env != nil {
		p.interval = env.Settings().SyncInterval.Value(p.interval)
	}
	p.interval = obj.CommonSpec().SyncInterval.Value(p.interval)
	if p.interval == 0 {
		p.interval = never
	}
	if restarted && !p.wanted && p.last.ready {
		p.last.at = r.clock.Now().Add(r.options.Spread(p.interval)) // not all at once
		r.due.set(client.ObjectKeyFromObject(obj), p.last)
	}
	return p, nil
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
	if p.wanted {
		return 0, false
	}
	now, at := r.clock.Now(), p.last.at
	if due := r.Resource.Due(ctx, p.obj); !due.IsZero() {
		p.urgent = !due.After(now)
		if due.Before(at) {
			at = due
		}
	}
	left := at.Sub(now)
	return left, left > 0
}

func (p *pass[T]) asCaller(ctx context.Context) context.Context {
	lane := cobalt.Background
	if p.wanted || p.urgent {
		lane = cobalt.Foreground
	}
	return cobalt.WithCaller(ctx, lane, string(p.obj.GetUID()))
}
