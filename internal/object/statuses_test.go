package object

import (
	"strings"
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// TestRequestIsCutBetweenCharacters: or the API server would store another, and what status says would be written anew
// in each run.
func TestRequestIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	obj := &v1alpha1.LinkedAccount{}
	metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.ReconcileRequestAnnotation, "x"+strings.Repeat("ä", 200))
	if got := Requested(obj); !utf8.ValidString(got) || len(got) != 255 {
		t.Errorf("%d bytes of it: %q", len(got), got)
	}
}
