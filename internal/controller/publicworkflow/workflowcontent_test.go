package publicworkflow

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
)

// TestWorkflowHashesStay: statuses and annotations hold them. A version of the operator that
// came to others would make every workflow again at its upgrade.
// What is added to an input must not be in the hash of objects that do not use it.
func TestWorkflowHashesStay(t *testing.T) {
	t.Parallel()
	raw := func(json string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(json)} }
	of := account.Owner{ID: "acme", Made: "65f0c0ffee"}

	workflow := &v1alpha1.PublicWorkflow{}
	workflow.Spec.Name = "Sync deals"
	workflow.Spec.Nodes = []v1alpha1.WorkflowNode{{Type: "start"}}
	hashOfWorkflow(t, of, workflow, "0309e793a0ad91b2e5d4011e9b8beaff")
	workflow.Spec.Description = "Each deal, <once> & for all"
	workflow.Spec.Nodes = append(workflow.Spec.Nodes, v1alpha1.WorkflowNode{Type: "code", Config: raw(`{"b":[1.50,null],"a":{"ü":"<"}}`)})
	hashOfWorkflow(t, of, workflow, "0ac928b375e18442b6abaaa5e399f8b8")
}

func hashOfWorkflow(t *testing.T, of account.Owner, obj *v1alpha1.PublicWorkflow, want string) {
	t.Helper()
	_, got, err := describe(&workflowRun{Run: &engine.Run[*v1alpha1.PublicWorkflow]{Obj: obj, Account: of}})
	if err != nil || got != want {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
}
