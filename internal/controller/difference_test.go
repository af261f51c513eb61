package controller

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// TestDriftShowsNoSecret: a customer may have put one where none is expected.
func TestDriftShowsNoSecret(t *testing.T) {
	t.Parallel()
	inputs := newInputStore(nil, nil).open()
	inputs.Hide("hunter2")
	long := strings.Repeat("x", 195)
	got := drift([]difference{
		{path: "fields.token", want: "hunter2", have: "other", hidden: true},
		{path: "fields.note", want: "a note", have: "it is hunter2"},
		{path: "fields.long", want: nil, have: long + "hunter2"},
		{path: "fields.map", want: map[string]any{"hunter2": true}, have: []any{"hunter2"}},
	}, inputs)
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
