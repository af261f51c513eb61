// Package eventtrigger fires events and executes workflows in Cobalt, once or by a schedule, and follows what they start.
package eventtrigger

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/once"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
	"github.com/cobalt-operator/cobalt-operator/internal/schedule"
)

// action teaches the flow of actions what an EventTrigger is.
type action struct {
	cache  client.Reader
	writer client.Client
}

// New returns the reconciler of EventTriggers.
func New(d engine.Deps) *once.Reconciler[*v1alpha1.EventTrigger] {
	return once.New(d, action{cache: d.Client, writer: d.Client}, &v1alpha1.EventTrigger{})
}

var _ once.Action[*v1alpha1.EventTrigger] = action{}

type triggerRun = once.Run[*v1alpha1.EventTrigger]

func (action) Uses(obj *v1alpha1.EventTrigger) []inputs.Use {
	return inputs.SourceUses(obj.Namespace, obj.Spec.PayloadFrom)
}

// Act settles what is not known of the last call, looks at the runs that go on,
// and starts another if it is time.
func (e action) Act(ctx context.Context, t *triggerRun) (engine.Readiness, error) {
	restoreFired(t.Obj)
	if err := e.settle(ctx, t); err != nil {
		return engine.Readiness{}, err
	}
	followErr, act := e.follow(ctx, t), e.once
	if t.Obj.Spec.Schedule != "" { // which goes on although an execution cannot be looked at
		act = e.scheduled
	} else if followErr != nil {
		t.Aside = true
		return engine.Readiness{}, followErr
	}
	if err := act(ctx, t); err != nil {
		return engine.Readiness{}, err
	}
	if followErr != nil {
		t.Aside = true
		return engine.Readiness{}, followErr
	}
	forgetRuns(t.Obj)
	if err := e.expire(ctx, t); err != nil {
		return engine.Readiness{}, err
	}
	if t.Obj.Spec.Schedule != "" {
		return engine.Readiness{Reason: v1alpha1.ReasonArmed, Message: "waits for the next time in its schedule"}, nil
	}
	return e.readiness(t)
}

// once starts a run for each content that spec has had, and again what has failed.
func (e action) once(ctx context.Context, t *triggerRun) error {
	t.Obj.Status.Schedule, t.Obj.Status.LastScheduleTime, t.Obj.Status.NextScheduleTime = "", nil, nil
	if !e.told(t) {
		wanted, err := e.hash(ctx, t)
		if err != nil {
			return err
		}
		if wanted != t.Obj.Status.FiredHash && len(t.Obj.Status.OpenRuns()) >= mostOpenRuns {
			return condition.ErrWait // and a status that spoke of this spec would tell that it was started
		}
		if wanted != t.Obj.Status.FiredHash {
			return e.fire(ctx, t, firing{hash: wanted, attempt: 1})
		}
	}
	return e.retry(ctx, t)
}

// told tells whether the status speaks of the present content, so that it need not
// be put together again, for which Secrets would have to be read.
func (action) told(t *triggerRun) bool {
	status := t.Obj.Status
	if status.ObservedGeneration != t.Obj.Generation || !t.Used().IsIn(t.Obj) || status.FiredHash == "" {
		return false
	}
	switch object.ReadyReason(t.Obj) {
	case v1alpha1.ReasonExecutionRunning, v1alpha1.ReasonRetrying, v1alpha1.ReasonCompleted, v1alpha1.ReasonAccepted,
		v1alpha1.ReasonAcceptedUntracked, v1alpha1.ReasonExecutionFailed:
		return true
	case v1alpha1.ReasonDeliveryUnknown: // unless that is about a call which is still to be settled
		return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)
	}
	return false
}

// retry starts the last run again if it failed and it is time.
func (e action) retry(ctx context.Context, t *triggerRun) error {
	at := retryAt(t.Obj)
	switch {
	case at.IsZero():
		return nil
	case at.After(t.Core.Clock.Now()):
		t.Obj.Status.Phase = v1alpha1.PhaseRetrying
		t.WakeAt(at)
		return nil
	}
	again := firing{hash: t.Obj.Status.FiredHash, attempt: lastRun(t.Obj).Attempt + 1, again: true}
	if t.Obj.Spec.Schedule != "" {
		again.scheduled = t.Obj.Status.LastScheduleTime
	}
	return e.fire(ctx, t, again)
}

// scheduled starts the runs of a schedule, and one more when trigger changes.
func (e action) scheduled(ctx context.Context, t *triggerRun) error {
	status, now := &t.Obj.Status, t.Core.Clock.Now()
	plan, err := schedule.Parse(t.Obj.Spec.Schedule, t.Obj.Spec.TimeZone)
	if err != nil {
		status.NextScheduleTime = nil
		return condition.StalledBy(v1alpha1.ReasonInvalidSchedule, "%s", err)
	}
	since := countsFrom(t.Obj, now)
	if t.AccountErr != nil { // nothing would come of a run
		status.NextScheduleTime = nil
		return t.AccountErr
	}
	todo := plan.Agenda(since, now, t.Obj.Spec.StartingDeadline.Value(0))
	if !todo.Since.Equal(since) {
		status.LastScheduleTime = new(once.Stamp(todo.Since))
	}
	status.NextScheduleTime = nil
	if !todo.Next.IsZero() {
		status.NextScheduleTime = new(once.Stamp(todo.Next))
		t.WakeAt(todo.Next)
	}
	if !todo.Late.IsZero() {
		status.LastScheduleTime = new(once.Stamp(todo.Late))
		t.Event(corev1.EventTypeWarning, "RunMissed", "Schedule",
			"the run of "+todo.Late.Format(time.RFC3339)+" is left out: it is too late for it")
	}
	return e.startScheduled(ctx, t, todo)
}

// countsFrom is since when times in the schedule count: the last that was run or left
// out, or else when the schedule came to be what it is.
func countsFrom(obj *v1alpha1.EventTrigger, now time.Time) time.Time {
	status, text := &obj.Status, strings.TrimSpace(obj.Spec.Schedule+" "+obj.Spec.TimeZone)
	switch {
	case status.LastScheduleTime == nil && len(status.Conditions) == 0 && status.FiredHash == "":
		status.LastScheduleTime = new(obj.CreationTimestamp)
	case status.LastScheduleTime == nil, status.Schedule != "" && status.Schedule != text: // it had none or another, or its status was lost
		status.LastScheduleTime = new(once.Stamp(now))
	}
	status.Schedule = text
	return status.LastScheduleTime.Time
}

// schedulePrefix tells the hashes of triggers with a schedule, which stand for the
// text of trigger alone.
const schedulePrefix = "s-"

func (e action) startScheduled(ctx context.Context, t *triggerRun, todo schedule.Agenda) error {
	status, wish := &t.Obj.Status, schedulePrefix+hash.Of("trigger", t.Obj.Spec.Trigger)
	if !strings.HasPrefix(status.FiredHash, schedulePrefix) { // what trigger says from the beginning is no change
		status.FiredHash = wish
	}
	most := 1
	if t.Obj.Spec.ConcurrencyPolicy == v1alpha1.ConcurrencyAllow {
		most = mostOpenRuns
	}
	switch {
	case status.FiredHash != wish && len(t.Obj.Status.OpenRuns()) < mostOpenRuns:
		return e.fire(ctx, t, firing{hash: wish, attempt: 1})
	case !todo.Run.IsZero() && len(t.Obj.Status.OpenRuns()) < most:
		return e.fire(ctx, t, firing{hash: status.FiredHash, attempt: 1, scheduled: new(once.Stamp(todo.Run))})
	case todo.Run.IsZero():
		return e.retry(ctx, t)
	}
	return nil
}

// readiness is how a trigger without schedule stands.
func (e action) readiness(t *triggerRun) (engine.Readiness, error) {
	run, accepted := lastRun(t.Obj), t.Obj.Spec.ReadyWhen == v1alpha1.ReadyWhenAccepted
	if run == nil {
		return engine.Readiness{
			Reason: v1alpha1.ReasonAcceptedUntracked, Message: "was started before its status was lost, so how that ended is not known",
		}, nil
	}
	phase := phaseOf(t.Obj)
	switch {
	case phase == v1alpha1.PhaseUnknown:
		return engine.Readiness{}, condition.StalledBy(v1alpha1.ReasonDeliveryUnknown, "%s", t.Obj.Status.Message)
	case phase == v1alpha1.PhaseAccepted:
		return engine.Readiness{
			Reason: v1alpha1.ReasonAcceptedUntracked, Message: "Cobalt took it and named no execution, so how it ends is not known",
		}, nil
	case accepted:
		return engine.Readiness{Reason: v1alpha1.ReasonAccepted, Message: "Cobalt took it as execution " + run.ExecutionID}, nil
	case phase == v1alpha1.PhaseRunning:
		return engine.Readiness{}, condition.WaitingFor(v1alpha1.ReasonExecutionRunning, "execution %s has not ended yet", run.ExecutionID)
	case phase == v1alpha1.PhaseCompleted:
		return engine.Readiness{Reason: v1alpha1.ReasonCompleted, Message: "execution " + run.ExecutionID + " has completed"}, nil
	case !retryAt(t.Obj).IsZero():
		return engine.Readiness{}, condition.WaitingFor(v1alpha1.ReasonRetrying, "%s; it is started again after a pause", t.Obj.Status.Message)
	}
	return engine.Readiness{}, condition.StalledBy(v1alpha1.ReasonExecutionFailed,
		"%s: see to the cause, then change spec.trigger to start it again", t.Obj.Status.Message)
}

// expire deletes a trigger whose time is over since it has ended.
func (e action) expire(ctx context.Context, t *triggerRun) error {
	ttl := t.Obj.Spec.TTLAfterFinished
	if ttl == "" || !finished(t.Obj) {
		return nil
	}
	at := endedAt(t.Obj).Add(ttl.Value(0))
	if at.After(t.Core.Clock.Now()) {
		t.WakeAt(at)
		return nil
	}
	if err := t.Commit(ctx); err != nil {
		return err
	}
	uid := t.Obj.GetUID()
	asSeen := client.Preconditions{UID: &uid, ResourceVersion: new(t.Obj.GetResourceVersion())}
	return client.IgnoreNotFound(e.writer.Delete(ctx, t.Obj, asSeen))
}

// finished tells whether nothing more is going to happen by itself.
func finished(obj *v1alpha1.EventTrigger) bool {
	return obj.Spec.Schedule == "" && obj.Status.Intent == nil && !endedAt(obj).IsZero() &&
		len(obj.Status.OpenRuns()) == 0 && retryAt(obj).IsZero()
}

// endedAt is when the last run has ended or, if the status was lost, when it was
// known that it is not to be started again; zero if neither.
func endedAt(obj *v1alpha1.EventTrigger) time.Time {
	if obj.Status.CompletedAt != nil {
		return obj.Status.CompletedAt.Time
	}
	ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason != v1alpha1.ReasonAcceptedUntracked || len(obj.Status.History) > 0 {
		return time.Time{}
	}
	return ready.LastTransitionTime.Time
}

// Holds: there is nothing in Cobalt that could be taken back.
func (action) HasFinalizer() bool { return false }

func (action) Intent(obj *v1alpha1.EventTrigger) *v1alpha1.Intent {
	if obj.Status.Intent == nil {
		return nil
	}
	return &obj.Status.Intent.Intent
}

// Suspend tells that there is no next run.
func (action) Suspend(obj *v1alpha1.EventTrigger) { obj.Status.NextScheduleTime = nil }

// Annotations carry that it was fired in the place of a status that is lost.
func (action) Annotations(obj *v1alpha1.EventTrigger) map[string]string {
	if obj.Status.FiredHash == "" {
		return nil
	}
	return map[string]string{object.FiredAnnotation: obj.Status.FiredHash}
}

// restoreFired takes what the annotation says into a status that does not know it.
func restoreFired(obj *v1alpha1.EventTrigger) {
	if fired, ok := object.Annotation(obj, object.FiredAnnotation); ok && obj.Status.FiredHash == "" {
		obj.Status.FiredHash = redact.CutCharacters(fired, 64)
	}
}

func (action) LeftBehind(*v1alpha1.EventTrigger) string { return "" }

// IsFinished tells whether an object needs its account no more.
func IsFinished(obj client.Object) bool {
	trigger, ok := obj.(*v1alpha1.EventTrigger)
	return ok && finished(trigger)
}
