package publicworkflow

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestWishIsMarkedIfItCanBe: what is no id is not copied into another annotation, for which there may be no room.
func TestWishIsMarkedIfItCanBe(t *testing.T) {
	t.Parallel()
	for wish, marked := range map[string]bool{"wf-1": true, "": false, strings.Repeat("x", 200<<10): false, "a/b": false} {
		obj := &v1alpha1.PublicWorkflow{}
		obj.Status.ID = "wf-0"
		metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.AdoptWorkflowAnnotation, wish)
		if _, ok := (action{}).Annotations(obj)[object.AdoptedAnnotation]; ok != marked {
			t.Errorf("%.20q is marked: %t, want %t", wish, ok, marked)
		}
	}
}
