package inmemory

import (
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// doubtful is a workflow of which nobody knows whether it was made.
func (w *world) doubtful() *v1alpha1.PublicWorkflow {
	w.Helper()
	w.sim.Inject(simulator.Fault{Operation: "createPublicWorkflow", HangUp: simulator.HangUpAfter, Times: 1})
	workflow := w.workflow("sync", "acme")
	w.create(workflow)
	w.settle()
	w.says(workflow, v1alpha1.ReasonCreateOutcomeUnknown)
	w.pass(time.Hour)
	w.says(workflow, v1alpha1.ReasonCreateOutcomeUnknown)
	return workflow
}

// annotated has somebody annotate an object.
func (w *world) annotated(obj *v1alpha1.PublicWorkflow, name, value string) {
	w.Helper()
	w.read(obj)
	metav1.SetMetaDataAnnotation(&obj.ObjectMeta, name, value)
	w.must(w.Update(w.Context(), obj))
	w.settle()
}

// TestTheUserSaysWhetherAWorkflowWasMade: by its id, or by having it made again; this operator or another goes on.
func TestTheUserSaysWhetherAWorkflowWasMade(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		restart bool
		answer  func(*world, *v1alpha1.PublicWorkflow) (name, value string)
		made    int
	}{
		"Adopt": {false, func(w *world, _ *v1alpha1.PublicWorkflow) (string, string) {
			return v1alpha1.AdoptWorkflowAnnotation, w.sim.State("test").Workflows[0].ID
		}, 1},
		"Retry": {false, func(_ *world, obj *v1alpha1.PublicWorkflow) (string, string) {
			return v1alpha1.RetryCreateAnnotation, obj.Status.Intent.AttemptID
		}, 2},
		"RetryAfterRestart": {true, func(_ *world, obj *v1alpha1.PublicWorkflow) (string, string) {
			return v1alpha1.RetryCreateAnnotation, obj.Status.Intent.AttemptID
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serving(t)
			workflow := w.doubtful()
			if tc.restart {
				w.start()
				w.settle()
				w.says(workflow, v1alpha1.ReasonCreateOutcomeUnknown)
			}
			annotation, value := tc.answer(w, workflow)
			w.annotated(workflow, annotation, value)
			w.says(workflow, v1alpha1.ReasonSynced)
			if made := w.calls("createPublicWorkflow"); made != tc.made {
				t.Errorf("it was made %d times", made)
			}
			w.remove(workflow)
			w.settle()
			if !w.isGone(workflow) {
				t.Error("it is still there")
			}
			w.told("LeftBehind", "its API cannot delete workflows")
		})
	}
}

// told checks that an event says something.
func (w *world) told(reason, text string) {
	w.Helper()
	for len(w.events.Events) > 0 {
		if said := <-w.events.Events; strings.Contains(said, reason) && strings.Contains(said, text) {
			return
		}
	}
	w.Errorf("no event %s says %q", reason, text)
}

// TestWhatIsRefusedRests: until somebody changes it, or asks for another try.
func TestWhatIsRefusedRests(t *testing.T) {
	t.Parallel()
	w := serving(t)
	w.sim.Inject(simulator.Fault{
		Operation: "triggerEvent", Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"error":"no such event"}`,
	})
	trigger := w.trigger("deals", "acme")
	w.create(trigger)
	w.settle()
	w.pass(time.Hour)
	w.start()
	w.pass(time.Hour)
	if fired := w.calls("triggerEvent"); fired != 1 {
		t.Errorf("it was fired %d times", fired)
	}
	w.sim.ClearFaults()
	w.change(trigger, func() { trigger.Spec.Trigger = "again" })
	w.settle()
	w.says(trigger, v1alpha1.ReasonExecutionRunning)
}

// TestExecutionsAreFollowed: to their end, of which an event tells.
func TestExecutionsAreFollowed(t *testing.T) {
	t.Parallel()
	w := serving(t)
	trigger := w.trigger("deals", "acme")
	w.create(trigger)
	w.settle()
	w.sim.Inject(simulator.Fault{Operation: "listExecutions", Status: http.StatusBadGateway, Times: 3})
	w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: http.StatusBadGateway, Times: 3})
	w.pass(30 * time.Minute)
	w.says(trigger, v1alpha1.ReasonCompleted)
	w.told("Completed", "has completed")
}

// TestASuspendedTriggerWaits: and fires when it goes on.
func TestASuspendedTriggerWaits(t *testing.T) {
	t.Parallel()
	w := serving(t)
	trigger := w.trigger("deals", "acme")
	trigger.Spec.Schedule, trigger.Spec.TimeZone = "*/5 * * * *", "UTC"
	w.create(trigger)
	w.settle()
	w.says(trigger, v1alpha1.ReasonArmed)
	w.change(trigger, func() { trigger.Spec.Suspend = true })
	w.pass(time.Hour)
	if w.read(trigger); trigger.Status.NextScheduleTime != nil || w.calls("triggerEvent") > 0 {
		t.Errorf("its next run is at %s, %d were started", trigger.Status.NextScheduleTime, w.calls("triggerEvent"))
	}
	w.change(trigger, func() { trigger.Spec.Suspend = false })
	w.pass(10 * time.Minute)
	if fired := w.calls("triggerEvent"); fired == 0 || fired > 3 {
		t.Errorf("%d runs in ten minutes", fired)
	}
}

// TestAnAccountThatIsNotThere: whoever belongs to it waits, and makes nothing.
func TestAnAccountThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	trigger, workflow := w.trigger("deals", ""), w.workflow("sync", "")
	of := v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: "acme"}}
	trigger.Spec.AccountReference, workflow.Spec.AccountReference = of, of
	w.create(trigger, workflow)
	w.settle()
	w.says(trigger, v1alpha1.ReasonLinkedAccountNotReady)
	w.says(workflow, v1alpha1.ReasonLinkedAccountNotReady)
	w.served("acme")
	w.pass(time.Minute)
	w.says(trigger, v1alpha1.ReasonCompleted)
	w.says(workflow, v1alpha1.ReasonSynced)
}
