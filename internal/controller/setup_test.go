package controller

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// schemeOnly is a manager that knows kinds and nothing else.
type schemeOnly struct {
	ctrl.Manager

	scheme *runtime.Scheme
}

func (s schemeOnly) GetScheme() *runtime.Scheme { return s.scheme }

// stranger is a kind that nobody has thought about.
type stranger struct{ v1alpha1.Webhook }

func (s *stranger) DeepCopyObject() runtime.Object { copied := *s; return &copied }

// TestAnOperatorWithAKindThatHasNoRowDoesNotStart: it would not know what its objects count for.
func TestAnOperatorWithAKindThatHasNoRowDoesNotStart(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(v1alpha1.GroupVersion.WithKind("Stranger"), &stranger{})
	if err := Setup(t.Context(), schemeOnly{scheme: scheme}, Options{}); err == nil || !strings.Contains(err.Error(), "kind Stranger") {
		t.Errorf("it starts: %v", err)
	}
}
