package linkedaccount

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

func TestPlanOfCredentials(t *testing.T) {
	t.Parallel()
	these, others := []byte(`{"a":"these"}`), []byte(`{"a":"others"}`)
	ofThese, ofOthers, ofOtherAccount := hash.Salted("id", these), hash.Salted("id", others), hash.Salted("other-id", these)
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
			if tc.wantHash != "" && got.hash != tc.wantHash || !hash.Matches(got.hash, "id", these) {
				t.Errorf("%s: the wrong hash is remembered", tc.reason)
			}
		})
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
	list, err := connected(inputs.NewStore(nil, nil).Open(), func(yield func(cobalt.Application, error) bool) {
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

// TestCredentialsAreRememberedAsTheyStandInTheSecret: what is sent of them must not matter
// for whether they were sent, or else an upgrade would send all of them again.
func TestCredentialsAreRememberedAsTheyStandInTheSecret(t *testing.T) {
	t.Parallel()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "oauth"}, Data: map[string][]byte{
		"token": []byte("\ufeffhunter2\r\n"), "whole.json": []byte("{\"text\":\"a\\n\"}\n"),
	}}
	store := inputs.NewStore(nil, fake.NewClientBuilder().WithObjects(secret).Build())
	for key, want := range map[string]struct{ sent, remembered string }{
		"":           {`{"token":"hunter2","whole.json":"{\"text\":\"a\\n\"}"}`, "{\"token\":\"\ufeffhunter2\\r\\n\",\"whole.json\":\"{\\\"text\\\":\\\"a\\\\n\\\"}\\n\"}"},
		"whole.json": {`{"text":"a\n"}`, "{\"text\":\"a\\n\"}\n"},
	} {
		token, remembered, err := readCredentials(t.Context(), store.Open(), "default", v1alpha1.CredentialsReference{Name: "oauth", Key: key})
		if err != nil || string(token) != want.sent || string(remembered) != want.remembered {
			t.Errorf("%v: %s is sent, want %s; %s is remembered, want %s", err, token, want.sent, remembered, want.remembered)
		}
	}
}
