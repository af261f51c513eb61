package v1alpha1_test

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func TestPublicWorkflowSpec(t *testing.T) {
	t.Parallel()
	of := func(account, more string) string { return account + "\nname: Sync\nnodes: [{type: start}]\n" + more }
	with := func(more string) string { return of("linkedAccountID: acme", more) }
	runSpecCases(t, "PublicWorkflow", map[string]specCase{
		"Least":            {reason: "an account, a name and a step are all that is needed", spec: with("")},
		"Full":             {reason: "every field at once", spec: fullPublicWorkflow},
		"NoAccount":        {reason: "whose would it be?", spec: of("", ""), wantErr: "exactly one of linkedAccountRef and linkedAccountID"},
		"BothAccounts":     {reason: "which one counts?", spec: with("linkedAccountRef: {name: acme}"), wantErr: "exactly one of linkedAccountRef and linkedAccountID"},
		"AccountMoved":     {reason: "a workflow cannot move", spec: with(""), change: "linkedAccountID: other", wantErr: "cannot be changed"},
		"AccountByRef":     {reason: "a workflow cannot move", spec: with(""), change: "{linkedAccountID: null, linkedAccountRef: {name: acme}}", wantErr: "cannot be changed"},
		"EnvironmentMoved": {reason: "a workflow cannot move", spec: with(""), change: "environmentRef: {name: other}", wantErr: "environmentRef cannot be changed"},
		"NoName":           {reason: "the API asks for one", spec: "{linkedAccountID: acme, nodes: [{type: start}]}", wantErr: "name"},
		"EmptyName":        {reason: "the API refuses it", spec: "{linkedAccountID: acme, name: '', nodes: [{type: start}]}", wantErr: "name"},
		"NoNodes":          {reason: "it would do nothing, for ever", spec: "{linkedAccountID: acme, name: a}", wantErr: "nodes"},
		"EmptyNodes":       {reason: "it would do nothing, for ever", spec: "{linkedAccountID: acme, name: a, nodes: []}", wantErr: "nodes"},
		"NodeWithoutType":  {reason: "a step is of some type", spec: "{linkedAccountID: acme, name: a, nodes: [{config: {}}]}", wantErr: "type"},
		"ConfigNotObject":  {reason: "the API takes objects", spec: "{linkedAccountID: acme, name: a, nodes: [{type: start, config: [1]}]}", wantErr: "config"},
		"ConfigTooWide":    {reason: "bounded", spec: "{linkedAccountID: acme, name: a, nodes: [{type: start, config: {" + manyKeys(101) + "}}]}", wantErr: "100"},
		"TooManyNodes":     {reason: "bounded", spec: "{linkedAccountID: acme, name: a, nodes: [" + strings.Repeat("{type: start}, ", 101) + "]}", wantErr: "100"},
		"SameNodeTwice":    {reason: "steps may repeat", spec: "{linkedAccountID: acme, name: a, nodes: [{type: wait}, {type: wait}]}"},
		"ContentChanged":   {reason: "that makes another workflow", spec: with(""), change: "{name: Other, description: x, nodes: [{type: start, config: {a: 1}}], suspend: true}"},
	})
}

const fullPublicWorkflow = `
environmentRef: {kind: ClusterEnvironment, name: prod}
linkedAccountRef: {name: acme}
suspend: true
name: Sync deals
description: Copies deals once a day.
nodes:
- {type: start}
- {type: ai_code_executor, config: {code: "return 1", nested: {a: [1, 2.5, null]}}}
`

// TestPublicWorkflowKeepsNodes: what is inside a config comes back as it was written.
func TestPublicWorkflowKeepsNodes(t *testing.T) {
	t.Parallel()
	obj := &v1alpha1.PublicWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "nodes"}}
	obj.Spec.LinkedAccountID, obj.Spec.Name = "acme", "Sync"
	obj.Spec.Nodes = []v1alpha1.WorkflowNode{{Type: "code", Config: &runtime.RawExtension{Raw: []byte(`{"a":{"b":[1,null,"x"]}}`)}}}
	if err := cluster.Client.Create(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Client.Delete(context.WithoutCancel(t.Context()), obj) })
	if got := string(obj.Spec.Nodes[0].Config.Raw); got != `{"a":{"b":[1,null,"x"]}}` {
		t.Errorf("got %s", got)
	}
	if obj.Status.ObservedGeneration != -1 {
		t.Error("without observedGeneration -1, tools take a new object for a finished one")
	}
	if got := obj.Spec.EnvironmentRef; got != (v1alpha1.EnvironmentReference{Kind: "Environment", Name: "default"}) {
		t.Errorf("environmentRef: %+v", got)
	}
}
