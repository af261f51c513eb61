package controller

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
	"github.com/cobalt-operator/cobalt-operator/internal/schedule"
)

// eventTriggers teaches the flow of actions what an EventTrigger is.
type eventTriggers struct {
	cache  client.Reader
	writer client.Client
}

// newEventTriggers returns the action.
func newEventTriggers(c client.Client) eventTriggers { return eventTriggers{cache: c, writer: c} }

var _ Action[*v1alpha1.EventTrigger] = eventTriggers{}

type triggerRun = actionRun[*v1alpha1.EventTrigger]

func (eventTriggers) Uses(obj *v1alpha1.EventTrigger) []inputs.Use {
	return inputs.SourceUses(obj.Namespace, obj.Spec.PayloadFrom)
}

// Act settles what is not known of the last call, looks at the runs that go on,
// and starts another if it is time.
func (e eventTriggers) Act(ctx context.Context, t *triggerRun) (readiness, error) {
	restoreFired(t.obj)
	if err := e.settle(ctx, t); err != nil {
		return readiness{}, err
	}
	followErr, act := e.follow(ctx, t), e.once
	if t.obj.Spec.Schedule != "" { // which goes on although an execution cannot be looked at
		act = e.scheduled
	} else if followErr != nil {
		t.aside = true
		return readiness{}, followErr
	}
	if err := act(ctx, t); err != nil {
		return readiness{}, err
	}
	if followErr != nil {
		t.aside = true
		return readiness{}, followErr
	}
	forgetRuns(t.obj)
	if err := e.expire(ctx, t); err != nil {
		return readiness{}, err
	}
	if t.obj.Spec.Schedule != "" {
		return readiness{v1alpha1.ReasonArmed, "waits for the next time in its schedule"}, nil
	}
	return e.readiness(t)
}

// once starts a run for each content that spec has had, and again what has failed.
func (e eventTriggers) once(ctx context.Context, t *triggerRun) error {
	t.obj.Status.Schedule, t.obj.Status.LastScheduleTime, t.obj.Status.NextScheduleTime = "", nil, nil
	if !e.told(t) {
		hash, err := e.hash(ctx, t)
		if err != nil {
			return err
		}
		if hash != t.obj.Status.FiredHash && len(t.obj.Status.OpenRuns()) >= mostOpenRuns {
			return condition.ErrWait // and a status that spoke of this spec would tell that it was started
		}
		if hash != t.obj.Status.FiredHash {
			return e.fire(ctx, t, firing{hash: hash, attempt: 1})
		}
	}
	return e.retry(ctx, t)
}

// told tells whether the status speaks of the present content, so that it need not
// be put together again, for which Secrets would have to be read.
func (eventTriggers) told(t *triggerRun) bool {
	status := t.obj.Status
	if status.ObservedGeneration != t.obj.Generation || !t.used.IsIn(t.obj) || status.FiredHash == "" {
		return false
	}
	switch object.ReadyReason(t.obj) {
	case v1alpha1.ReasonExecutionRunning, v1alpha1.ReasonRetrying, v1alpha1.ReasonCompleted, v1alpha1.ReasonAccepted,
		v1alpha1.ReasonAcceptedUntracked, v1alpha1.ReasonExecutionFailed:
		return true
	case v1alpha1.ReasonDeliveryUnknown: // unless that is about a call which is still to be settled
		return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)
	}
	return false
}

// retry starts the last run again if it failed and it is time.
func (e eventTriggers) retry(ctx context.Context, t *triggerRun) error {
	at := retryAt(t.obj)
	switch {
	case at.IsZero():
		return nil
	case at.After(t.flow.clock.Now()):
		t.obj.Status.Phase = v1alpha1.PhaseRetrying
		t.wakeAt(at)
		return nil
	}
	again := firing{hash: t.obj.Status.FiredHash, attempt: lastRun(t.obj).Attempt + 1, again: true}
	if t.obj.Spec.Schedule != "" {
		again.scheduled = t.obj.Status.LastScheduleTime
	}
	return e.fire(ctx, t, again)
}

// scheduled starts the runs of a schedule, and one more when trigger changes.
func (e eventTriggers) scheduled(ctx context.Context, t *triggerRun) error {
	status, now := &t.obj.Status, t.flow.clock.Now()
	plan, err := schedule.Parse(t.obj.Spec.Schedule, t.obj.Spec.TimeZone)
	if err != nil {
		status.NextScheduleTime = nil
		return condition.StalledBy(v1alpha1.ReasonInvalidSchedule, "%s", err)
	}
	since := countsFrom(t.obj, now)
	if t.accountErr != nil { // nothing would come of a run
		status.NextScheduleTime = nil
		return t.accountErr
	}
	todo := plan.Agenda(since, now, t.obj.Spec.StartingDeadline.Value(0))
	if !todo.Since.Equal(since) {
		status.LastScheduleTime = new(stamp(todo.Since))
	}
	status.NextScheduleTime = nil
	if !todo.Next.IsZero() {
		status.NextScheduleTime = new(stamp(todo.Next))
		t.wakeAt(todo.Next)
	}
	if !todo.Late.IsZero() {
		status.LastScheduleTime = new(stamp(todo.Late))
		t.event(corev1.EventTypeWarning, "RunMissed", "Schedule",
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
		status.LastScheduleTime = new(stamp(now))
	}
	status.Schedule = text
	return status.LastScheduleTime.Time
}

// schedulePrefix tells the hashes of triggers with a schedule, which stand for the
// text of trigger alone.
const schedulePrefix = "s-"

func (e eventTriggers) startScheduled(ctx context.Context, t *triggerRun, todo schedule.Agenda) error {
	status, wish := &t.obj.Status, schedulePrefix+hash.Of("trigger", t.obj.Spec.Trigger)
	if !strings.HasPrefix(status.FiredHash, schedulePrefix) { // what trigger says from the beginning is no change
		status.FiredHash = wish
	}
	most := 1
	if t.obj.Spec.ConcurrencyPolicy == v1alpha1.ConcurrencyAllow {
		most = mostOpenRuns
	}
	switch {
	case status.FiredHash != wish && len(t.obj.Status.OpenRuns()) < mostOpenRuns:
		return e.fire(ctx, t, firing{hash: wish, attempt: 1})
	case !todo.Run.IsZero() && len(t.obj.Status.OpenRuns()) < most:
		return e.fire(ctx, t, firing{hash: status.FiredHash, attempt: 1, scheduled: new(stamp(todo.Run))})
	case todo.Run.IsZero():
		return e.retry(ctx, t)
	}
	return nil
}

// readiness is how a trigger without schedule stands.
func (e eventTriggers) readiness(t *triggerRun) (readiness, error) {
	run, accepted := lastRun(t.obj), t.obj.Spec.ReadyWhen == v1alpha1.ReadyWhenAccepted
	if run == nil {
		return readiness{v1alpha1.ReasonAcceptedUntracked, "was started before its status was lost, so how that ended is not known"}, nil
	}
	phase := phaseOf(t.obj)
	switch {
	case phase == v1alpha1.PhaseUnknown:
		return readiness{}, condition.StalledBy(v1alpha1.ReasonDeliveryUnknown, "%s", t.obj.Status.Message)
	case phase == v1alpha1.PhaseAccepted:
		return readiness{v1alpha1.ReasonAcceptedUntracked, "Cobalt took it and named no execution, so how it ends is not known"}, nil
	case accepted:
		return readiness{v1alpha1.ReasonAccepted, "Cobalt took it as execution " + run.ExecutionID}, nil
	case phase == v1alpha1.PhaseRunning:
		return readiness{}, condition.WaitingFor(v1alpha1.ReasonExecutionRunning, "execution %s has not ended yet", run.ExecutionID)
	case phase == v1alpha1.PhaseCompleted:
		return readiness{v1alpha1.ReasonCompleted, "execution " + run.ExecutionID + " has completed"}, nil
	case !retryAt(t.obj).IsZero():
		return readiness{}, condition.WaitingFor(v1alpha1.ReasonRetrying, "%s; it is started again after a pause", t.obj.Status.Message)
	}
	return readiness{}, condition.StalledBy(v1alpha1.ReasonExecutionFailed,
		"%s: see to the cause, then change spec.trigger to start it again", t.obj.Status.Message)
}

// expire deletes a trigger whose time is over since it has ended.
func (e eventTriggers) expire(ctx context.Context, t *triggerRun) error {
	ttl := t.obj.Spec.TTLAfterFinished
	if ttl == "" || !finished(t.obj) {
		return nil
	}
	at := endedAt(t.obj).Add(ttl.Value(0))
	if at.After(t.flow.clock.Now()) {
		t.wakeAt(at)
		return nil
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	uid := t.obj.GetUID()
	asSeen := client.Preconditions{UID: &uid, ResourceVersion: new(t.obj.GetResourceVersion())}
	return client.IgnoreNotFound(e.writer.Delete(ctx, t.obj, asSeen))
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
func (eventTriggers) Holds() bool { return false }

// Suspend tells that there is no next run.
func (eventTriggers) Suspend(obj *v1alpha1.EventTrigger) { obj.Status.NextScheduleTime = nil }

// Annotations carry that it was fired in the place of a status that is lost.
func (eventTriggers) Annotations(obj *v1alpha1.EventTrigger) map[string]string {
	if obj.Status.FiredHash == "" {
		return nil
	}
	return map[string]string{object.FiredAnnotation: obj.Status.FiredHash}
}

// restoreFired takes what the annotation says into a status that does not know it.
func restoreFired(obj *v1alpha1.EventTrigger) {
	if hash, ok := object.Annotation(obj, object.FiredAnnotation); ok && obj.Status.FiredHash == "" {
		obj.Status.FiredHash = redact.CutCharacters(hash, 64)
	}
}

func (eventTriggers) LeftBehind(*v1alpha1.EventTrigger) string { return "" }

// isFinished tells whether an object needs its account no more.
func isFinished(obj client.Object) bool {
	trigger, ok := obj.(*v1alpha1.EventTrigger)
	return ok && finished(trigger)
}
