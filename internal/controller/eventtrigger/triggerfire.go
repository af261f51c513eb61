package eventtrigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/once"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// firing is a call that starts a run.
type firing struct {
	hash    string
	attempt int32
	// scheduled is the time in the schedule that it is for; nil for none.
	scheduled *metav1.Time
	// again tells that it goes on with what was begun, and is not to be put off.
	again bool
	// repeats is how often the call was made before for the same run.
	repeats int32
}

// fired is what Cobalt answered to such a call.
type fired struct{ id, status string }

// firingCall makes it.
type firingCall func(context.Context, *environment.Remote) (fired, error)

// fire makes the call. All that may fail without consequences comes before the intent.
func (e action) fire(ctx context.Context, t *triggerRun, f firing) error {
	if t.AccountErr != nil {
		return t.AccountErr
	}
	if !t.MayCall() {
		return condition.ErrWait
	}
	if _, err := e.call(ctx, t, e.cache); err != nil {
		return err
	}
	api, ctx, err := t.ConnectOnce(ctx)
	if err != nil {
		return err
	}
	if t.Resting && !f.again && f.scheduled == nil {
		t.WakeAt(t.RestsUntil)
		return condition.ErrWait
	}
	if ctx, err = api.Admit(ctx); err != nil {
		return err
	}
	call, err := e.call(ctx, t, t.Core.Live) // what it refers to may have changed since
	if err != nil {
		return err
	}
	intent := v1alpha1.TriggerIntent{
		Intent: once.NewIntent(f.hash, t.Core.Clock.Now()), Attempt: f.attempt, ScheduledTime: f.scheduled, Repeats: f.repeats,
	}
	status := &t.Obj.Status
	status.Intent, status.Phase, status.LinkedAccountID = &intent, v1alpha1.PhaseFiring, t.Account.ID
	r := t.Attempt(ctx, func(ctx context.Context) (any, error) { return call(ctx, api) })
	if r.Unknown() {
		return e.doubt(ctx, t, r.Err)
	}
	return e.conclude(ctx, t, r)
}

// conclude takes what is known of a call into the status.
func (e action) conclude(ctx context.Context, t *triggerRun, r once.Result) error {
	intent := t.Obj.Status.Intent
	if r.Err != nil {
		t.Obj.Status.Intent, t.Obj.Status.Phase = nil, phaseOf(t.Obj)
		return e.refused(ctx, t, intent, r.Err)
	}
	answer := r.Answer.(fired)
	if cobalt.ValidatePathID(answer.id) != nil { // there is none, or none that could be asked for
		answer.id = ""
	}
	run := begun(t, intent, answer.id, answer.status)
	if len(t.Obj.Spec.PayloadFrom) > 0 {
		run.InputsVersion = t.Used().Told
	}
	if answer.id == "" {
		end(t, run, ended{phase: v1alpha1.PhaseAccepted, status: statusAccepted, at: once.Stamp(t.Core.Clock.Now())})
		t.Event(corev1.EventTypeNormal, "Fired", "Fire", "Cobalt took it and named no execution")
		return nil
	}
	t.Event(corev1.EventTypeNormal, "Fired", "Fire", "Cobalt took it as execution "+answer.id)
	t.PollAt(t.Core.Clock.Now().Add(shortestPoll))
	return nil
}

// refused says what a refusal means, and lets a run of a schedule be that comes to nothing:
// the next one is another.
func (e action) refused(ctx context.Context, t *triggerRun, intent *v1alpha1.TriggerIntent, err error) error {
	_, answered := errors.AsType[*cobalt.Error](err)
	t.Refused = answered && !cobalt.IsThrottled(err) && !cobalt.IsUnauthorized(err)
	if err = refusal(ctx, t, err); t.Refused && intent.ScheduledTime != nil && condition.Classify(err).Class == condition.Stuck {
		t.Obj.Status.LastScheduleTime = intent.ScheduledTime
	}
	return err
}

// Refused tells that Cobalt has refused what a trigger starts: what was refused once may have been done all the same.
func (action) Refused(trigger *v1alpha1.EventTrigger) bool {
	if len(trigger.Status.OpenRuns()) > 0 {
		return false
	}
	switch object.ReadyReason(trigger) {
	case v1alpha1.ReasonRejected, v1alpha1.ReasonApplicationNotFound, v1alpha1.ReasonEventNotFound, v1alpha1.ReasonWorkflowNotFound:
		return true
	}
	return false
}

// refusal says in our words what Cobalt has nothing of.
func refusal(ctx context.Context, t *triggerRun, err error) error {
	obj, now := t.Obj, t.Core.Clock.Now()
	switch {
	case cobalt.IsUnknownAccount(err) && account.Settles(ctx, t.Core.Client, t.Account.ID, now):
		return account.Missing(ctx, t.Core.Client, t.Account.ID, now)
	case !cobalt.IsNotFound(err):
		return err
	case obj.Spec.Event != nil:
		return condition.StalledBy(v1alpha1.ReasonEventNotFound,
			"Cobalt has no event %q named %q for the account: correct them, or make the event there: %s",
			obj.Spec.Event.Slug, obj.Spec.Event.Name, err)
	}
	return condition.StalledBy(v1alpha1.ReasonWorkflowNotFound,
		"Cobalt has no such workflow for the account: correct the id, or publish the workflow there: %s", err)
}

// settle deals with an intent that was left behind.
func (e action) settle(ctx context.Context, t *triggerRun) error {
	intent := t.Obj.Status.Intent
	if intent == nil {
		return nil
	}
	known, ok, err := t.Outcome(ctx)
	switch {
	case err != nil:
		return err
	case ok && errors.Is(known.Err, once.ErrNotCalled):
		t.Obj.Status.Intent, t.Obj.Status.Phase = nil, phaseOf(t.Obj)
		return nil // the same run goes on to fire
	case ok && !known.Unknown():
		return e.conclude(ctx, t, known)
	}
	return e.doubt(ctx, t, known.Err)
}

// doubt deals with a call of which nobody knows whether it worked. Whether it did
// cannot be told from the executions that there are: one of them may be somebody else's.
func (e action) doubt(ctx context.Context, t *triggerRun, cause error) error {
	intent, now := t.Obj.Status.Intent, t.Core.Clock.Now()
	if t.Obj.Spec.Delivery == v1alpha1.DeliveryAtLeastOnce {
		at := intent.Time.Add(min(shortestPoll<<min(intent.Repeats, 10), longestRepeat))
		if at.After(now) {
			t.WakeAt(at)
			return condition.WaitingFor(v1alpha1.ReasonDeliveryUnknown, "%s", madeAgain(t.Obj, cause))
		}
		f := firing{hash: intent.Hash, attempt: intent.Attempt, scheduled: intent.ScheduledTime, again: true, repeats: intent.Repeats + 1}
		return e.fire(ctx, t, f)
	}
	t.Later(func() {
		ctrl.LoggerFrom(ctx).Info("outcome unknown", "attempt", intent.AttemptID, "cause", t.Inputs.Redact(once.NoClearEnd(cause)))
	})
	run := begun(t, intent, "", "")
	end(t, run, ended{
		phase: v1alpha1.PhaseUnknown, status: statusUnknown, at: once.Stamp(now),
		message: fmt.Sprintf("%s, so the call may have started an execution or not: look in Cobalt for one of %s and, "+
			"if there is none, change spec.trigger", once.NoClearEnd(cause), intent.Time.UTC().Format(time.RFC3339)),
	})
	return nil
}

const asAtLeastOnceSays = ": the call is made again, as delivery AtLeastOnce says"

// madeAgain says that a call is made again. What was said of it before stays, as its
// cause is forgotten then.
func madeAgain(obj *v1alpha1.EventTrigger, cause error) string {
	said := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	if cause == nil && said != nil && strings.HasSuffix(said.Message, asAtLeastOnceSays) {
		return said.Message
	}
	return once.NoClearEnd(cause) + asAtLeastOnceSays
}

// longestRepeat is the longest pause before a call is made again whose outcome is unknown.
const longestRepeat = 5 * time.Minute

// hash stands for all that makes a run another one.
func (e action) hash(ctx context.Context, t *triggerRun) (string, error) {
	if t.Account.ID == "" {
		return "", t.AccountErr
	}
	payload, err := payloadOf(ctx, t)
	if err != nil {
		return "", err
	}
	spec := t.Obj.Spec
	target, err := json.Marshal([]any{spec.Event, spec.Workflow, spec.ConfigRef, spec.ConfigID})
	if err != nil {
		return "", err
	}
	return hash.Of("once", t.Account.ID, string(target), string(payload), spec.Trigger), nil
}

// payloadOf is payload with payloadFrom merged over it; nil if there is none.
func payloadOf(ctx context.Context, t *triggerRun) (json.RawMessage, error) {
	payload := map[string]any{}
	if raw := t.Obj.Spec.Payload; raw != nil {
		listed, err := jsonvalue.DecodeObject(raw.Raw)
		if err != nil {
			return nil, condition.StalledBy(v1alpha1.ReasonInvalidInput, "payload is not a JSON object")
		}
		maps.Copy(payload, listed)
	}
	for _, source := range t.Obj.Spec.PayloadFrom {
		ref, key := inputs.SourceReference(t.Obj.Namespace, source)
		values, err := t.Inputs.Object(ctx, ref, key)
		if err != nil {
			return nil, err
		}
		maps.Copy(payload, values)
	}
	if len(payload) == 0 {
		return nil, nil
	}
	return json.Marshal(payload)
}

// call is the call that spec asks for, with references resolved.
func (e action) call(ctx context.Context, t *triggerRun, reader client.Reader) (firingCall, error) {
	payload, err := payloadOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if event := t.Obj.Spec.Event; event != nil {
		config, err := e.configID(ctx, t, reader)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, api *environment.Remote) (fired, error) {
			answer, err := api.TriggerEvent(ctx, api.Account, event.Slug, cobalt.EventInput{Event: event.Name, ConfigID: config, Payload: payload})
			if err != nil {
				return fired{}, err
			}
			return fired{id: answer.ExecutionID}, nil
		}, nil
	}
	id, err := e.workflowID(ctx, t, reader)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, api *environment.Remote) (fired, error) {
		answer, err := api.ExecuteWorkflow(ctx, api.Account, id, payload)
		if err != nil {
			return fired{}, err
		}
		return fired{answer.ExecutionID, answer.Status}, nil
	}, nil
}
