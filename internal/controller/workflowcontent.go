package controller

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// content is what spec asks for.
type content struct {
	input cobalt.WorkflowInput
	text  string
}

// in is a hash of the content and of the account in Cobalt, which a workflow goes with.
func (c content) in(account owner) string { return hashOf(account.id, account.made, c.text) }

// describe is the content that spec asks for.
func describe(spec v1alpha1.PublicWorkflowSpec) (content, error) {
	input := cobalt.WorkflowInput{Name: spec.Name, Description: spec.Description}
	for i, node := range spec.Nodes {
		n := cobalt.WorkflowNode{Type: node.Type}
		if node.Config != nil {
			canonical, err := canonicalJSON(node.Config.Raw)
			if err != nil {
				return content{}, stalledBy(v1alpha1.ReasonInvalidInput, "nodes[%d].config is not a JSON object", i)
			}
			n.Config = canonical
		}
		input.Nodes = append(input.Nodes, n)
	}
	text, err := json.Marshal(input)
	return content{input, string(text)}, err
}

// hashOf is a hash of texts that does not depend on where one ends and the next begins.
func hashOf(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		_, _ = fmt.Fprintf(hash, "%d %s\n", len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))[:32]
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
