package chart

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestTheSchemaKnowsEveryValue: a value without a schema could not be set, and
// a schema without a value is documented nowhere.
func TestTheSchemaKnowsEveryValue(t *testing.T) {
	t.Parallel()
	var values map[string]any
	if err := yaml.Unmarshal(read(t, "values.yaml"), &values); err != nil {
		t.Fatal(err)
	}
	var known properties
	if err := json.Unmarshal(read(t, "values.schema.json"), &known); err != nil {
		t.Fatal(err)
	}
	delete(known.Properties, "global") // Helm's own
	compare(t, "", values, known)
}

// properties are the part of a JSON schema that says which properties there are.
type properties struct {
	Properties           map[string]properties `json:"properties"`
	AdditionalProperties any               `json:"additionalProperties"`
}

func compare(t *testing.T, path string, value any, known properties) {
	t.Helper()
	if known.Properties == nil {
		return // not an object, or one that the API server knows
	}
	if known.AdditionalProperties != false {
		t.Errorf("the schema of %q lets typing errors pass", path)
	}
	values, _ := value.(map[string]any)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(known.Properties)), slices.Sorted(maps.Keys(values))); diff != "" {
		t.Errorf("values of %q: - in the schema, + in values.yaml\n%s", path, diff)
	}
	for name, property := range known.Properties {
		compare(t, path+"."+name, values[name], property)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(chart(t), file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
