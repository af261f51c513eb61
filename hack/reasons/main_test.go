package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRowsOf(t *testing.T) {
	t.Parallel()
	const group = "package p\n\n// Reasons of Ready=False with Stalled=True: the user acts next.\nconst (\n"
	cases := map[string]struct {
		reason  string
		source  string
		want    []string
		wantErr string
	}{
		"Complete": {
			reason: "the last sentence is who acts, all before it the meaning",
			source: group + "// ReasonA: one. Two |\n// three. The user acts; it is tried again.\nReasonA = \"Aah\"\n)",
			want:   []string{"| `Aah` | `Ready=False` with `Stalled=True` | One. Two \\| three | The user acts; it is tried again |\n"},
		},
		"NobodyActs": {
			reason:  "a reason that leaves open who acts helps nobody",
			source:  group + "// ReasonA: something is wrong.\nReasonA = \"A\"\n)",
			wantErr: "ReasonA: its comment is not",
		},
		"AnotherName": {
			reason:  "a comment that was copied from another reason",
			source:  group + "// ReasonB: one. Two.\nReasonA = \"A\"\n)",
			wantErr: "ReasonA: its comment is not",
		},
		"NoGroup": {
			reason:  "without its group nobody knows which conditions carry it",
			source:  "package p\n\n// ReasonA: one. Two.\nconst ReasonA = \"A\"",
			wantErr: "the comment on its group",
		},
		"Nothing": {reason: "an empty table would be a broken one", source: "package p", wantErr: "no constant"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rowsOf("conditions.go", tc.source)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("%s: error %v does not say %q", tc.reason, err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}
