package webhook

import (
	"errors"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
)

// TestInsecureURL: who speaks to the API over TLS does not have its events sent in the clear.
func TestInsecureURL(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		url      string
		insecure bool
		want     bool // refused
	}{
		"TLS":       {"nobody can listen", "https://hooks.example/", false, false},
		"Plain":     {"anybody on the way can listen", "http://hooks.example/", false, true},
		"PlainHere": {"where the API itself is spoken to so, as in a demo", "http://hooks.example/", true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hook := &v1alpha1.Webhook{}
			hook.Spec.URL = tc.url
			_, err := resource{insecure: tc.insecure}.Desired(t.Context(), nil, hook)
			refused, ok := errors.AsType[*condition.StalledError](err)
			if ok != tc.want || ok && refused.Reason != v1alpha1.ReasonInsecureURL {
				t.Errorf("%s: %v", tc.reason, err)
			}
		})
	}
}
