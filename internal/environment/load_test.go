package environment

import (
	"math"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

func lookAt(obj client.Object) object.Look {
	kind, _ := object.KindOf(obj)
	return kind.Look(obj)
}

// TestLoad: a list counts once for all who share it, at the shortest of their intervals.
func TestLoad(t *testing.T) {
	t.Parallel()
	account := func(interval v1alpha1.Duration, observe ...v1alpha1.LinkedAccountObservation) object.Look {
		obj := &v1alpha1.LinkedAccount{}
		obj.Spec.SyncInterval, obj.Spec.Observe = interval, observe
		return lookAt(obj)
	}
	config := func(account string) object.Look {
		obj := &v1alpha1.IntegrationConfig{}
		obj.Status.LinkedAccountID = account
		return lookAt(obj)
	}
	cases := map[string]struct {
		reason string
		looks  []object.Look
		want   float64 // calls per 600 s
	}{
		"Nothing":  {"nobody is looked at", nil, 0},
		"Accounts": {"one list", []object.Look{account(""), account(""), account("")}, 1},
		"Observe":  {"and what each wants beyond it", []object.Look{account(""), account("", "Applications")}, 2},
		"Shortest": {"the list is as young as the most impatient wants", []object.Look{account(""), account("60s")}, 10},
		"Never":    {"who is not looked at costs nothing", []object.Look{account("0s")}, 0},
		"Configs":  {"one list for each account", []object.Look{config("a"), config("a"), config("b")}, 2},
		"Webhooks": {"one call each", []object.Look{lookAt(&v1alpha1.Webhook{}), lookAt(&v1alpha1.Webhook{})}, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := 600 * (Load{looks: tc.looks}).PerSecond(10*time.Minute); math.Abs(got-tc.want) > 1e-9 {
				t.Errorf("%s: %g calls in 10 minutes, want %g", tc.reason, got, tc.want)
			}
		})
	}
}
