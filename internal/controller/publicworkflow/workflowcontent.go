package publicworkflow

import (
	"bytes"
	"encoding/json"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
)

// describe is the content that spec asks for, and a hash of it and of the account
// in Cobalt, which a workflow goes with.
func describe(t *workflowRun) (cobalt.WorkflowInput, string, error) {
	spec := t.Obj.Spec
	input := cobalt.WorkflowInput{Name: spec.Name, Description: spec.Description}
	for i, node := range spec.Nodes {
		n := cobalt.WorkflowNode{Type: node.Type}
		if node.Config != nil {
			canonical, err := canonicalJSON(node.Config.Raw)
			if err != nil {
				return input, "", condition.StalledBy(v1alpha1.ReasonInvalidInput, "nodes[%d].config is not a JSON object", i)
			}
			n.Config = canonical
		}
		input.Nodes = append(input.Nodes, n)
	}
	text, err := json.Marshal(input)
	if err != nil {
		return input, "", err
	}
	return input, hash.Of(t.Account.ID, t.Account.Made, string(text)), nil
}

// canonicalJSON is JSON whose keys are in order, without losing digits.
func canonicalJSON(text []byte) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}
