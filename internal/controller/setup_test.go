package controller

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
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

// TestRolesAreThoseOfTheKinds: what the manager may do is generated from markers, in which a kind is forgotten as easily as
// anywhere else.
func TestRolesAreThoseOfTheKinds(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(data, role); err != nil {
		t.Fatal(err)
	}
	got, want := map[string][]string{}, map[string][]string{}
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			if slices.Contains(rule.APIGroups, v1alpha1.GroupVersion.Group) {
				got[resource] = append(got[resource], rule.Verbs...)
			}
		}
	}
	for _, kind := range object.Kinds {
		resource := strings.ToLower(kind.Name) + "s"
		want[resource], want[resource+"/status"] = []string{"get", "list", "patch", "watch"}, []string{"patch"}
	}
	want["eventtriggers"] = append([]string{"delete"}, want["eventtriggers"]...) // whose time to live is over
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config/rbac/role.yaml: -want +got\n%s", diff)
	}
}

// TestAnOperatorWithoutAControllerOfAKindDoesNotStart: objects of the kind would lie there in silence.
func TestAnOperatorWithoutAControllerOfAKindDoesNotStart(t *testing.T) {
	t.Parallel()
	s := &setup{options: Options{Namespaced: true}}
	for _, kind := range object.Kinds {
		if kind.Name != "ClusterEnvironment" && kind.Name != "Webhook" {
			s.reconciled = append(s.reconciled, kind.Name)
		}
	}
	if err := s.lacksNone(); err == nil || !strings.Contains(err.Error(), "kind Webhook") {
		t.Errorf("it starts: %v", err)
	}
	s.reconciled = append(s.reconciled, "Webhook")
	if err := s.lacksNone(); err != nil {
		t.Error(err)
	}
	s.options.Namespaced = false
	if err := s.lacksNone(); err == nil || !strings.Contains(err.Error(), "kind ClusterEnvironment") {
		t.Errorf("it starts: %v", err)
	}
}
