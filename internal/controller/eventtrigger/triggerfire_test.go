package eventtrigger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/once"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// TestDoubtIsLogged: also of a schedule, which stays Ready, the log tells what happened to a call, once the status does.
func TestDoubtIsLogged(t *testing.T) {
	t.Parallel()
	var logged strings.Builder
	ctx := ctrl.LoggerInto(t.Context(), zap.New(zap.WriteTo(&logged)))
	clock := clocktesting.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	run := &triggerRun{Run: &engine.Run[*v1alpha1.EventTrigger]{
		Obj: &v1alpha1.EventTrigger{}, Inputs: inputs.NewStore(nil, nil).Open(), Core: &New(engine.Deps{Clock: clock, Events: events.NewFakeRecorder(9)}).Core,
	}}
	run.Obj.Status.Intent = &v1alpha1.TriggerIntent{Intent: once.NewIntent("hash", clock.Now()), Attempt: 1}
	run.Inputs.Hide("hunter2-secret")
	if err := (action{}).doubt(ctx, run, errors.New("no answer: hunter2-secret was closed")); err != nil {
		t.Fatal(err)
	}
	if logged.Len() > 0 {
		t.Error("the log tells what no status tells yet")
	}
	run.DoLater()
	if !strings.Contains(logged.String(), "no answer: [redacted] was closed") {
		t.Errorf("the log has no cause: %s", logged.String())
	}
}
