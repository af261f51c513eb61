package eventtrigger

import (
	"testing"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// TestRedactionLeavesWordsThatAreGoneBy: a value of a Secret may be an id or a word of Cobalt's.
func TestRedactionLeavesWordsThatAreGoneBy(t *testing.T) {
	t.Parallel()
	reconcile := &triggerRun{Run: &engine.Run[*v1alpha1.EventTrigger]{Obj: &v1alpha1.EventTrigger{}, Inputs: inputs.NewStore(nil, nil).Open()}}
	for _, word := range []string{"completed", "execution-7", "waiting", statusUnknown} {
		reconcile.Inputs.Hide(word)
	}
	run := begun(reconcile, &v1alpha1.TriggerIntent{}, "execution-7", "waiting for it")
	if run.ExecutionID != "execution-7" || run.Status != "[redacted] for it" {
		t.Errorf("execution %s has status %s", run.ExecutionID, run.Status)
	}
	end(reconcile, run, ended{phase: v1alpha1.PhaseCompleted, status: "completed"})
	if phase := phaseOf(reconcile.Obj); phase != v1alpha1.PhaseCompleted {
		t.Errorf("it is %s", phase)
	}
	end(reconcile, run, ended{phase: v1alpha1.PhaseUnknown, status: statusUnknown})
	if phase := phaseOf(reconcile.Obj); phase != v1alpha1.PhaseUnknown {
		t.Errorf("it is %s", phase)
	}
	if got := shownStatus(reconcile.Inputs, "completed"); got != "completed" {
		t.Errorf("a word that says how it ended is %s", got)
	}
}
