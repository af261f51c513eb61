package eventtrigger

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// TestTriggerHashesStay: statuses and annotations hold them. A version of the operator that
// came to others would fire every trigger again at its upgrade.
// What is added to an input must not be in the hash of objects that do not use it.
func TestTriggerHashesStay(t *testing.T) {
	t.Parallel()
	raw := func(json string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(json)} }
	of := account.Owner{ID: "acme", Made: "65f0c0ffee"}

	trigger := &v1alpha1.EventTrigger{}
	trigger.Spec.Event = &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
	hashOfTrigger(t, of, trigger, "fa980dff73cca247ac125ab99a110d57")
	trigger.Spec.ConfigRef = &v1alpha1.IntegrationConfigReference{Name: "hubspot"}
	trigger.Spec.Payload, trigger.Spec.Trigger = raw(`{"deal":{"id":42,"amount":10.50}}`), "again"
	hashOfTrigger(t, of, trigger, "dd0f885559a08e163fc0c98773e9b988")
	trigger.Spec.Event, trigger.Spec.ConfigRef = nil, nil
	trigger.Spec.Workflow = &v1alpha1.WorkflowReference{ID: "sync-deals"}
	hashOfTrigger(t, of, trigger, "b00dd6695b4caa7a44b39de4b5cb01db")
	trigger.Spec.Workflow = &v1alpha1.WorkflowReference{Ref: &v1alpha1.PublicWorkflowReference{Name: "sync"}}
	hashOfTrigger(t, of, trigger, "e8f9af526feceaaf2159da5dc2b7e99e")
	const scheduled = "s-a90eb62ece33085237a867566bab790e"
	if got := schedulePrefix + hash.Of("trigger", trigger.Spec.Trigger); got != scheduled {
		t.Errorf("a schedule with a trigger text: %q, want %q", got, scheduled)
	}
}

func hashOfTrigger(t *testing.T, of account.Owner, obj *v1alpha1.EventTrigger, want string) {
	t.Helper()
	run := &engine.Run[*v1alpha1.EventTrigger]{Obj: obj, Account: of, Inputs: inputs.NewStore(nil, nil).Open()}
	got, err := action{}.hash(t.Context(), &triggerRun{Run: run})
	if err != nil || got != want {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
}
