package drift

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// TestDriftShowsNoSecret: a customer may have put one where none is expected.
func TestDriftShowsNoSecret(t *testing.T) {
	t.Parallel()
	reader := inputs.NewStore(nil, nil).Open()
	reader.Hide("hunter2")
	long := strings.Repeat("x", 195)
	got := Of([]Difference{
		{Path: "fields.token", Want: "hunter2", Have: "other", Hidden: true},
		{Path: "fields.note", Want: "a note", Have: "it is hunter2"},
		{Path: "fields.long", Want: nil, Have: long + "hunter2"},
		{Path: "fields.map", Want: map[string]any{"hunter2": true}, Have: []any{"hunter2"}},
	}, reader)
	want := []v1alpha1.Drift{
		{Path: "fields.token", Desired: "[redacted]", Observed: "[redacted]"},
		{Path: "fields.note", Desired: `"a note"`, Observed: `"it is [redacted]"`},
		{Path: "fields.long", Observed: `"` + long + `[red…`},
		{Path: "fields.map", Desired: `{"[redacted]":true}`, Observed: `["[redacted]"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
