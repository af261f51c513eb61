package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		secrets []string
		text    string
		want    string
	}{
		"Plain":    {"it must not show", []string{"hunter2"}, "the token hunter2 is bad", "the token [redacted] is bad"},
		"Inside":   {"one secret is part of another", []string{"hunter2", "hunter2-long"}, "hunter2-long", "[redacted]"},
		"Trimmed":  {"Secrets often end in a newline", []string{"hunter2\n"}, "hunter2", "[redacted]"},
		"TooShort": {"would garble every text", []string{"eu"}, "neutral", "neutral"},
		"None":     {"nothing was read", nil, "as it is", "as it is"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inputs := inputStore{}.open()
			for _, secret := range tc.secrets {
				inputs.Hide(secret)
			}
			if got := inputs.Redact(tc.text); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestCacheKeepsNoSecret: annotations of Secrets often hold their content.
func TestCacheKeepsNoSecret(t *testing.T) {
	t.Parallel()
	obj := metadata("kubectl.kubernetes.io/last-applied-configuration", "hunter2")
	stripped, err := stripMetadata(obj)
	if err != nil {
		t.Fatal(err)
	}
	got := stripped.(interface{ GetAnnotations() map[string]string }).GetAnnotations()
	if len(got) != 0 {
		t.Errorf("annotations are kept: %v", got)
	}
}

func metadata(annotation, value string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "a", Annotations: map[string]string{annotation: value}}}
}
