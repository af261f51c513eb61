package metrics

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// FirstReady tells of an object that the first report on it is ours and that it has
// not been Ready since. A restart forgets it, so that nothing is counted twice.
type FirstReady bool

// Reported counts how long an object took to be Ready for the first time.
func (f *FirstReady) Reported(kind string, obj client.Object, was, is []metav1.Condition, now time.Time) {
	if meta.FindStatusCondition(was, v1alpha1.ConditionReady) == nil {
		*f = true
	}
	if bool(*f) && meta.IsStatusConditionTrue(is, v1alpha1.ConditionReady) {
		*f = false
		TimeToReady.WithLabelValues(kind).Observe(max(0, now.Sub(obj.GetCreationTimestamp().Time).Seconds()))
	}
}
