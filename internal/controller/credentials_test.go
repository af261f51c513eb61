package controller

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// TestHashesAreSalted: who reads two statuses learns not even that they stand for the same credentials or key.
func TestHashesAreSalted(t *testing.T) {
	t.Parallel()
	these, where := []byte(`{"a":"these"}`), endpointOf("https://api.example", "key")
	hash, record := newHash("id", these), where.record()
	if hash == newHash("id", these) || record == where.record() {
		t.Error("the same has the same hash")
	}
}

func TestPlanOfCredentials(t *testing.T) {
	t.Parallel()
	these, others := []byte(`{"a":"these"}`), []byte(`{"a":"others"}`)
	ofThese, ofOthers, ofOtherAccount := newHash("id", these), newHash("id", others), newHash("other-id", these)
	cases := map[string]struct {
		reason                 string
		inStatus, inAnnotation string
		want                   handoverStep
		wantHash               string
	}{
		"Both":           {"it was sent", ofThese, ofThese, done, ofThese},
		"StatusOnly":     {"kubectl replace took the annotation", ofThese, "", done, ofThese},
		"StatusNewer":    {"an old manifest put the annotation back", ofThese, ofOthers, done, ofThese},
		"MarkOnly":       {"a crash, or a wiped status", "", ofThese, ask, ofThese},
		"MarkNewer":      {"a crash between the annotation and the call", ofOthers, ofThese, send, ofThese},
		"Neither":        {"an adopted account may be connected", "", "", askFirst, ""},
		"Changed":        {"other bytes", ofOthers, ofOthers, send, ""},
		"ChangedAtCrash": {"other bytes, whatever became of those before", "", ofOthers, send, ""},
		"OtherAccount":   {"made anew in Cobalt", ofOtherAccount, ofOtherAccount, send, ""},
		"Garbled":        {"not ours", "zz:zz", ":", send, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plan("hubspot", "id", these, tc.inStatus, tc.inAnnotation)
			if got.step != tc.want {
				t.Errorf("%s: step %d, want %d", tc.reason, got.step, tc.want)
			}
			if tc.wantHash != "" && got.hash != tc.wantHash || !hashMatches(got.hash, "id", these) {
				t.Errorf("%s: the wrong hash is remembered", tc.reason)
			}
		})
	}
	if newHash("id", these) == ofThese {
		t.Error("equal credentials must not look equal")
	}
}

func TestConnectedApplications(t *testing.T) {
	t.Parallel()
	got := connectedOf(t,
		cobalt.Application{Slug: "slack", Name: strings.Repeat("ä", 300), Connected: new(true)},
		cobalt.Application{Slug: "hubspot", Name: "HubSpot", Connected: new(true)},
		cobalt.Application{Slug: "hubspot", Name: "twice", Connected: new(true)},
		cobalt.Application{Slug: "salesforce"},
		cobalt.Application{Name: "no slug", Connected: new(true)},
		cobalt.Application{Slug: strings.Repeat("x", 257), Connected: new(true)},
	)
	want := []v1alpha1.ConnectedApplication{{Slug: "hubspot", Name: "HubSpot"}, {Slug: "slack", Name: strings.Repeat("ä", 256)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("only what status accepts (-want +got):\n%s", diff)
	}
	var many []cobalt.Application
	for i := range 60 {
		many = append(many, cobalt.Application{Slug: fmt.Sprintf("app-%02d", i), Connected: new(true)})
	}
	if got := connectedOf(t, many...); len(got) != 50 {
		t.Errorf("status holds 50, not %d", len(got))
	}
}

func connectedOf(t *testing.T, applications ...cobalt.Application) []v1alpha1.ConnectedApplication {
	t.Helper()
	list, err := connected(inputStore{}.open(), func(yield func(cobalt.Application, error) bool) {
		for _, application := range applications {
			if !yield(application, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLabelOf(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a.", 40)
	for _, name := range []string{"acme", long + "b", long + "c"} {
		if got := labelOf(name); len(got) > 63 || len(name) <= 63 && got != name {
			t.Errorf("the label of %s is %s", name, got)
		}
	}
	if labelOf(long+"b") == labelOf(long+"c") {
		t.Error("two accounts must not share a label")
	}
}
