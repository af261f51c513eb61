// Package environment makes the clients of environments from their Secrets, and lets objects through once the API has answered.
package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// Reconciler makes the client of an Environment or ClusterEnvironment
// from its Secret, and lets objects through once the API has answered.
type Reconciler[T object.Environment] struct {
	engine.Core[T]
	options Options
	states  *probeStates
}

// Options say how environments are connected to.
type Options struct {
	// AllowedAPIOrigins are the origins (scheme://host[:port]) that environments may point at.
	AllowedAPIOrigins []string
	// UserAgent names the operator to the API.
	UserAgent string
	// Tracer makes the spans of calls.
	Tracer trace.Tracer
}

// New returns the reconciler of a kind of environments.
func New[T object.Environment](d engine.Deps, options Options, prototype T) *Reconciler[T] {
	return &Reconciler[T]{
		Core: engine.NewCore(d, prototype, longestProbesPause), options: options, states: newProbeStates(d.Clock),
	}
}

// Uses is what the client of an environment is made from.
func (*Reconciler[T]) Uses(env T) []inputs.Use { return usesOf(env) }

func (r *Reconciler[T]) keyOf(name types.NamespacedName) object.EnvironmentKey {
	return object.EnvironmentKey{Kind: v1alpha1.EnvironmentKind(r.Kind), NamespacedName: name}
}

// Reconcile connects an environment and reports whether it can be used.
func (r *Reconciler[T]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	defer r.Environments.Workers.Yield(breaker.Waiter{Waker: r.Waker, Request: request})
	key := r.keyOf(request.NamespacedName)
	env := r.New()
	if err := r.Client.Get(ctx, request.NamespacedName, env); err != nil {
		if !apierrors.IsNotFound(err) {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, r.lost(ctx, key)
	}
	if err := r.newest(ctx, key, env); err != nil {
		return r.Requeue(request.NamespacedName, err)
	}
	deleting, conn, state := !env.GetDeletionTimestamp().IsZero(), r.Environments.Of(key), r.states.of(key)
	conn.Newcomers.Admit(!deleting)
	users, err := r.Environments.UsersOf(ctx, key)
	if err != nil {
		return ctrl.Result{}, err
	}
	newcomers := conn.Newcomers.Await(users.Unheld)
	if deleting && users.Holders == 0 {
		return r.finalize(ctx, key, env, users, newcomers)
	}
	if !deleting { // before its first object comes, which would have to wait for it
		if env, err = object.AddFinalizer(ctx, r.Client, env, nil); condition.Classify(err).Class == condition.Silent {
			return r.Requeue(request.NamespacedName, err)
		}
	}
	before := env.DeepCopyObject().(T)
	conn.Breaker.OnSuspicion(func() { r.Waker.Wake(request, 0) })
	conn.Waits.OnBegin(func() { r.Waker.WakeBackground(request, environment.WorthAWord) })
	if err == nil {
		err = r.connect(ctx, env, conn, state)
	} else { // nothing is made in what could go at any time
		conn.Breaker.Trip(reasonOf(err))
	}
	if deleting && err == nil {
		err = condition.WaitingFor(v1alpha1.ReasonDeletionPending,
			"waits until the objects that have something in Cobalt are deleted or have deletionPolicy Orphan: kubectl get cobalt -A lists them")
	}
	o := r.outcomeOf(err)
	if o.Class == condition.Ready {
		o.Message += r.resyncFactor(env, conn, users.Load) + conn.Waits.Say(r.Clock.Now())
	}
	if state.says(err) {
		o.After = state.untilProbe()
	}
	return r.finish(ctx, key, before, env, o)
}

// connect makes sure that there is a client for the present spec and Secret,
// and that objects are let through only if the API accepts it.
func (r *Reconciler[T]) connect(ctx context.Context, env T, conn *environment.Connection, state *probeState) error {
	settings := env.Settings()
	if err := r.load(ctx, env, conn, state); err != nil {
		conn.Breaker.Trip(reasonOf(err))
		return err
	}
	r.limiter(env, conn.Clients.Load().Endpoint) // as spec may have changed
	closed, answered := conn.Breaker.IsTrusted()
	interval := settings.SyncInterval.Value(r.Settings.SyncInterval)
	idle := interval > 0 && r.Clock.Now().Sub(answered) >= interval
	wish := object.Requested(env)
	asked := wish != "" && wish != env.EnvironmentStatus().LastHandledReconcileAt
	asked = state.newly(env.GetAnnotations()[v1alpha1.AcceptEnvironmentAnnotation]) || asked || state.untold
	if closed && !idle && !asked {
		return nil
	}
	if held := state.held(); held != nil && !asked {
		return held
	}
	self := breaker.Waiter{Waker: r.Waker, Request: ctrl.Request{NamespacedName: client.ObjectKeyFromObject(env)}}
	if !conn.Share.Enter(self, true) {
		state.untold = true // what was asked for is still to be done
		return &condition.LaterError{After: breaker.WorkerPause}
	}
	defer conn.Share.Leave(self)
	return r.probe(ctx, env, conn, state)
}

// probe asks the API whether it is there and accepts the key.
func (r *Reconciler[T]) probe(ctx context.Context, env T, conn *environment.Connection, state *probeState) error {
	ctx = ratelimit.WithCaller(ctx, ratelimit.Foreground, string(env.GetUID()))
	err := r.verify(ctx, env, conn, state)
	pause, grows := cobalt.RetryAfter(err), !condition.HeldBack(err)
	switch {
	case err == nil:
		state.accepted(conn.Clients.Load().API)
		if closed, _ := conn.Breaker.IsClosed(); !closed {
			conn.Share.Untried()
		}
		conn.Breaker.Reset(time.Second / time.Duration(max(1, env.Settings().RateLimit.RequestsPerSecond)))
		return nil
	case inLine(err): // which says nothing of the API
		return err
	case cobalt.IsThrottled(err):
		pause = max(pause, time.Second)
		if closed, _ := conn.Breaker.IsClosed(); closed {
			state.failed(err, pause, grows)
			return err // it is there, and says so
		}
		err = condition.WaitingFor(v1alpha1.ReasonThrottled, "Cobalt asked to slow down before it could be seen whether it accepts the key")
	case cobalt.IsUnauthorized(err):
		err = refused(env, state, r.Clock.Now())
	}
	if condition.Classify(err).Class == condition.Stuck { // only a change helps: once per sync interval is enough
		if pause, grows = r.interval(env), false; pause == engine.Never {
			pause = r.Settings.Jitter(engine.UsualInterval)
		}
	}
	state.failed(err, pause, grows)
	conn.Breaker.Trip(reasonOf(err))
	return err
}

// inLine tells whether a call waits for its turn behind others.
func inLine(err error) bool {
	held, ok := errors.AsType[*cobalt.ThrottledError](err)
	return ok && !held.AskedByAPI()
}

// interval is how often an environment is looked at; never, for 0s.
func (r *Reconciler[T]) interval(env T) time.Duration {
	if interval := env.Settings().SyncInterval.Value(r.Settings.SyncInterval); interval > 0 {
		return r.Settings.Jitter(interval)
	}
	return engine.Never
}

// conditionsOf is the part of a status that says what came of the last run.
func conditionsOf(env object.Environment) condition.Status {
	status := env.EnvironmentStatus()
	return condition.Status{Conditions: &status.Conditions, ObservedGeneration: &status.ObservedGeneration}
}

// outcomeOf is what an error means in the words of an environment.
func (r *Reconciler[T]) outcomeOf(err error) condition.Outcome {
	o := condition.Classify(err)
	if o.Class == condition.Ready {
		o.Reason, o.Message = v1alpha1.ReasonConnected, "the API answers and accepts the key"
	}
	return o
}

// reasonOf names why an environment is not Ready, for the objects that wait.
func reasonOf(err error) string {
	return fmt.Sprintf("%s, see its status", condition.Classify(err).Reason)
}

// finish reports the outcome in one status patch and says when to look again.
func (r *Reconciler[T]) finish(ctx context.Context, key object.EnvironmentKey, before, env T, o condition.Outcome) (ctrl.Result, error) {
	status, now, state := env.EnvironmentStatus(), r.Clock.Now(), r.states.of(key)
	engine.TraceOutcome(ctx, o)
	if o.Class != condition.Silent {
		conditionsOf(env).Report(o, env.GetGeneration(), now, r.Settings.ProgressDeadline)
		status.LastHandledReconcileAt = object.Requested(env)
	}
	if !equality.Semantic.DeepEqual(before, env) {
		if err := r.PatchStatus(ctx, before, env, false); err != nil {
			state.untold = true
			return r.Requeue(key.NamespacedName, err)
		}
		r.Environments.Of(key).Versions.Saw(env.GetResourceVersion())
		was := before.EnvironmentStatus().Conditions
		state.firstReady.Reported(r.Kind, env, was, status.Conditions, now)
		r.Announce(ctx, env, "Connect", o, was, status.Conditions)
	}
	if o.Class != condition.Silent {
		state.untold = false
	}
	return r.next(env, o, now)
}

// next says when an environment is looked at again.
func (r *Reconciler[T]) next(env T, o condition.Outcome, now time.Time) (ctrl.Result, error) {
	deadline := conditionsOf(env).Deadline(r.Settings.ProgressDeadline)
	switch key := client.ObjectKeyFromObject(env); {
	case o.Conflict:
		return ctrl.Result{RequeueAfter: r.Memories.Refused(key)}, nil
	case o.Again:
		return ctrl.Result{RequeueAfter: r.Settings.ConflictPause}, nil
	case o.After > 0:
		return ctrl.Result{RequeueAfter: engine.Soon(o.After)}, nil
	case o.Class == condition.Ready:
		r.Memories.Delete(key)
		return engine.Background(r.Environments.Of(r.keyOf(key)).Waits.Pause(r.interval(env))), nil
	case o.Err != nil:
		return ctrl.Result{}, o.Err
	case !deadline.IsZero():
		return ctrl.Result{RequeueAfter: engine.Soon(deadline.Sub(now))}, nil
	}
	return ctrl.Result{}, nil
}

// finalize ends the life of an environment that no object needs for its deletion. What may
// be about to need it goes first. Its last key stays in memory while objects refer to it.
func (r *Reconciler[T]) finalize(
	ctx context.Context, key object.EnvironmentKey, env T, users environment.Users, newcomers bool,
) (ctrl.Result, error) {
	if newcomers {
		return ctrl.Result{RequeueAfter: r.Settings.ConflictPause}, nil
	}
	if users.Count == 0 {
		r.forget(key)
	}
	return r.Requeue(key.NamespacedName, object.RemoveFinalizer(ctx, r.Client, env))
}

// lost is what is left to do for an environment that does not exist: its last
// key stays in memory while objects of it may still have to be deleted.
func (r *Reconciler[T]) lost(ctx context.Context, key object.EnvironmentKey) error {
	users, err := r.Environments.UsersOf(ctx, key)
	if err != nil {
		return err
	}
	if users.Count == 0 {
		r.forget(key)
		return nil
	}
	conn := r.Environments.Of(key)
	unload(conn, r.states.of(key))
	conn.Breaker.Shut()
	return nil
}

func (r *Reconciler[T]) forget(key object.EnvironmentKey) {
	r.Memories.Delete(key.NamespacedName)
	r.Environments.Forget(key)
	r.states.forget(key)
}
