package contract_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract"
)

// original is the document that ours restates in its own words. It is kept
// next to the repository, not in it.
var original = filepath.Join("..", "..", "..", "..", "shared", "contract", "cobalt-api-openapi.yml")

func TestDocumentSaysWhatTheOriginalSays(t *testing.T) {
	theirs, err := os.ReadFile(original)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the original is not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(structure(t, theirs), structure(t, contract.Document), unordered); diff != "" {
		t.Errorf("ours differs from the original (-original +ours):\n%s", diff)
	}
}

func TestDocumentHasEveryOperationOnce(t *testing.T) {
	seen := map[string]int{}
	for _, item := range structure(t, contract.Document)["paths"].(map[string]any) {
		for _, operation := range item.(map[string]any) {
			seen[operation.(map[string]any)["operationId"].(string)]++
		}
	}
	if len(seen) != 31 {
		t.Errorf("got %d operations, want 31", len(seen))
	}
	for id, times := range seen {
		if times > 1 {
			t.Errorf("operationId %s stands %d times", id, times)
		}
	}
}

// unordered compares lists such as required, tags and enum as sets. Lists of
// anything but text keep their order, which the original gives a meaning.
var unordered = cmpopts.SortSlices(func(a, b any) bool {
	left, isText := a.(string)
	right, isTextToo := b.(string)
	return isText && isTextToo && left < right
})

// structure is what a document says, without info and without prose.
func structure(t *testing.T, document []byte) map[string]any {
	t.Helper()
	var parsed map[string]any
	if err := yaml.Unmarshal(document, &parsed); err != nil {
		t.Fatal(err)
	}
	delete(parsed, "info")
	return withoutProse(parsed).(map[string]any)
}

func withoutProse(value any) any {
	switch value := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, element := range value {
			if !isProse(key, element) {
				kept[key] = withoutProse(element)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(value))
		for i, element := range value {
			kept[i] = withoutProse(element)
		}
		return kept
	}
	return value
}

// isProse tells a description from a property that is called description,
// whose value is a schema.
func isProse(key string, value any) bool {
	_, isText := value.(string)
	return isText && (key == "title" || key == "summary" || key == "description")
}
