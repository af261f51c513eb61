package integrationconfig

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// TestFieldsFitIntoStatus: or else those that could not be taken back yet would keep the status from being written.
func TestFieldsFitIntoStatus(t *testing.T) {
	t.Parallel()
	for _, listed := range []int{100, 101} {
		obj := &v1alpha1.IntegrationConfig{}
		for i := range listed {
			obj.Spec.Fields = append(obj.Spec.Fields, v1alpha1.ConfigField{ID: fmt.Sprint("new", i), Value: &runtime.RawExtension{Raw: []byte("1")}})
		}
		for i := range 100 {
			obj.Status.Fields = append(obj.Status.Fields, fmt.Sprint("old", i))
		}
		_, err := resource{}.Desired(t.Context(), inputs.NewStore(nil, nil).Open(), obj)
		if refused := condition.Classify(err).Reason == v1alpha1.ReasonInvalidInput; refused != (listed > 100) {
			t.Errorf("%d and 100 others: %v", listed, err)
		}
	}
}
