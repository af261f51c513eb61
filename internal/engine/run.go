package engine

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Run is one reconcile of one object.
type Run[T object.Object] struct {
	Obj T
	// Before is Obj as it was read or last written: a status patch is the difference to it.
	Before T
	// Account is what Obj belongs to, or what is known of that beside AccountErr.
	Account    account.Owner
	AccountErr error
	// Env is nil if there is none; it may be there beside EnvErr, which says that it may not be used.
	Env    object.Environment
	EnvErr error
	Inputs *inputs.Reader
	// Fingerprint is what this run is about, Memory what is known of the object from the runs before, and by now.
	Fingerprint memory.Fingerprint
	Memory      memory.Memory
	// Requested is the sync that was asked for when the run began.
	Requested string
	// Early tells that it is too early to write back what the metadata of Obj has lost.
	Early bool
	// Core is what all runs of the kind share.
	Core *Core[T]

	// First is said by the handler: the run goes before those that nobody waits for.
	First bool
	// Background is said by it as well: the run comes back at low priority.
	Background bool
	// Calm too: all was well before, and nobody asks for anything else.
	Calm bool
	// AfterQuiet is after how long a run is tried again that was not worth a word; zero leaves it to Next.
	AfterQuiet time.Duration
	// Aside tells that only the look at executions under way has failed, which keeps no call from being made.
	Aside bool
	// Refused tells that Cobalt has refused a call that starts something. Once the status says Stalled, be it by the deadline,
	// it is not made again by itself.
	Refused bool
	// Wake is when the next run is needed; zero leaves it to others.
	Wake time.Time
	// Release gives back what Begin has taken for the run.
	Release func()

	// epoch is the number of the environment's client: each other key or address makes another.
	epoch int
	// later is what to tell the world once the status says so.
	later []func()
	uses  []inputs.Use
}

// open returns a run that knows nothing but its object and what is remembered of it.
func (l *Loop[T, H]) open(obj T) *Run[T] {
	return &Run[T]{
		Obj: obj, Before: obj.DeepCopyObject().(T), Inputs: l.Inputs.Open(), Requested: object.Requested(obj),
		Memory: l.Memories.Get(client.ObjectKeyFromObject(obj), obj.GetUID()), uses: l.handler.Uses(obj),
		Release: func() {}, Core: &l.Core,
	}
}

// begin finds the account and the environment of an object, and the fingerprint of all that a run is about.
func (l *Loop[T, H]) begin(ctx context.Context, obj T) (*Run[T], error) {
	run := l.open(obj)
	if err := run.lookAtInputs(ctx); err != nil {
		return nil, err
	}
	run.Account, run.AccountErr = l.Accounts.Of(ctx, obj)
	run.Env, run.EnvErr = l.Environments.Find(ctx, obj, run.Account.ID, l.WaiterOf(obj))
	run.Fingerprint = memory.Fingerprint{
		Generation: obj.GetGeneration(), Inputs: run.Memory.Inputs.Edition, Request: object.Wishes(obj), Account: run.Account.Made,
		Environment: object.GenerationOf(run.Env), NotAllowed: environment.NotAllowed(run.EnvErr),
	}
	run.epoch = l.Environments.Of(object.EnvironmentOf(obj)).Breaker.Epoch()
	run.Memory = l.Memories.Forgive(client.ObjectKeyFromObject(obj), run.Memory, run.Fingerprint, run.epoch)
	return run, nil
}

// lookAtInputs finds out what is known by now of the Secrets and ConfigMaps that spec uses.
func (run *Run[T]) lookAtInputs(ctx context.Context) error {
	used, err := run.Core.Inputs.Look(ctx, run.Obj, run.uses, run.Memory.Inputs)
	if err == nil && run.Memory.Inputs != used {
		run.Memory.Inputs = used
		run.Remember()
	}
	return err
}

// Remember keeps what is known of the object for the next run.
func (run *Run[T]) Remember() { run.Core.Memories.Set(client.ObjectKeyFromObject(run.Obj), run.Memory) }

// Used is what is known of the Secrets and ConfigMaps that spec uses.
func (run *Run[T]) Used() inputs.Used { return run.Memory.Inputs }

// Retry tells that what this run is about was tried before, and failed.
func (run *Run[T]) Retry() bool {
	return run.Memory.Failure.Failing() && run.Memory.Failure.Like(run.Fingerprint)
}

// Deleting tells whether the object is being deleted.
func (run *Run[T]) Deleting() bool { return !run.Obj.GetDeletionTimestamp().IsZero() }

// comeBack is a result at the priority that the run has.
func (run *Run[T]) comeBack(after time.Duration) ctrl.Result {
	if run.Background {
		return Background(after)
	}
	return ctrl.Result{RequeueAfter: after}
}

// WakeAt has the next run come no later than at.
func (run *Run[T]) WakeAt(at time.Time) { run.Wake = Earlier(run.Wake, at) }

// Later has something done once the status is written.
func (run *Run[T]) Later(do func()) { run.later = append(run.later, do) }

// DoLater does what was put off until the status is written.
func (run *Run[T]) DoLater() {
	for _, do := range run.later {
		do()
	}
}

// Event makes an event of what happened, once the status says so.
func (run *Run[T]) Event(eventType, reason, action, note string) {
	run.Later(func() { run.Tell(eventType, reason, action, note) })
}

// Tell makes an event at once. Whether it arrives does not matter: in a namespace that is being deleted, events are refused.
func (run *Run[T]) Tell(eventType, reason, action, note string) {
	run.Core.Events.Eventf(run.Obj, nil, eventType, reason, action, "%s", run.Inputs.Redact(note))
}

// Commit writes the status if it has changed, unless somebody has written the object meanwhile: what is not to be lost must
// not be written over by whoever has not seen it.
func (run *Run[T]) Commit(ctx context.Context) error {
	_, err := run.PatchStatus(ctx, true)
	return err
}

// PatchStatus writes the status if it has changed, and tells whether it had. locked: it fails if somebody has written the
// object meanwhile.
func (run *Run[T]) PatchStatus(ctx context.Context, locked bool) (written bool, err error) {
	if equality.Semantic.DeepEqual(run.Before.WholeStatus(), run.Obj.WholeStatus()) {
		return false, nil
	}
	run.Memory.Inputs = run.Core.Inputs.Record(ctx, run.Obj, run.uses, run.Memory.Inputs, run.Inputs)
	if err := run.Core.PatchStatus(ctx, run.Before, run.Obj, locked); err != nil {
		return false, err
	}
	run.wrote()
	return true, nil
}

// wrote takes the object for what the API server has.
func (run *Run[T]) wrote() {
	run.Before = run.Obj.DeepCopyObject().(T)
	run.Memory.Seen = run.Obj.GetResourceVersion()
	run.Remember()
}

// AddFinalizer puts the finalizer and annotations on the object. It must come before anything is changed in the status: the
// answer of the API server takes its place.
func (run *Run[T]) AddFinalizer(ctx context.Context, annotations map[string]string) error {
	return run.Became(object.AddFinalizer(ctx, run.Core.Client, run.Obj, annotations))
}

// Became makes the object what a write of its metadata has returned.
func (run *Run[T]) Became(written T, err error) error {
	if err == nil && written.GetResourceVersion() != run.Obj.GetResourceVersion() {
		run.Obj = written
		run.wrote()
	}
	return err
}
