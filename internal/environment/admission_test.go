package environment

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/object/objecttest"
)

func TestAccountsThatAClusterEnvironmentAllows(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		prefixes []string
		account  string
		want     bool
	}{
		"Any":       {"without prefixes all are allowed", nil, "acme", true},
		"Starts":    {"it starts with one", []string{"shop-", "team-"}, "team-1", true},
		"Other":     {"it starts with none", []string{"shop-"}, "team-1", false},
		"Unknown":   {"it waits for its account first", []string{"shop-"}, "", true},
		"Namespace": {"its own namespace", []string{"shop-", "{namespace}-"}, "mine-1", true},
		"Neighbour": {"another namespace", []string{"{namespace}-"}, "theirs-1", false},
		"Literally": {"what is replaced is no prefix itself", []string{"{namespace}-"}, "{namespace}-1", false},
		"Within":    {"wherever it stands", []string{"shop.{namespace}."}, "shop.mine.1", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := &v1alpha1.ClusterEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "shared"}}
			env.Spec.AllowedNamespaces.AccountIDPrefixes = tc.prefixes
			err := (&Pool{}).allowed(t.Context(), env, "mine", tc.account)
			if allowed := !NotAllowed(err); allowed != tc.want {
				t.Fatalf("%s: allowed is %t, want %t", tc.reason, allowed, tc.want)
			}
			for _, prefix := range tc.prefixes {
				if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), tc.account, ""), prefix) {
					t.Errorf("%s: %v names a prefix, which may be another tenant's", tc.reason, err)
				}
			}
		})
	}
}

// TestWhoMayNotUseAnEnvironmentWaitsForNothingThere: others would be woken later for its sake.
func TestWhoMayNotUseAnEnvironmentWaitsForNothingThere(t *testing.T) {
	t.Parallel()
	_, around := objecttest.SharedAmong(map[string]bool{"team": true, "stranger": false})
	e := NewPool(objecttest.CacheOf(t, around...), clock.RealClock{}, 1, false)
	for name, tc := range map[string]struct {
		reason, namespace, env string
		waits                  int
	}{
		"Allowed": {"it is woken when the breaker opens", "team", "shared", 1},
		"Refused": {"a watch wakes it when it is allowed", "stranger", "shared", 0},
		"Missing": {"a watch wakes it when there is one", "team", "none", 0},
	} {
		hook := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: tc.namespace, Name: "hook"}}
		hook.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: tc.env}
		queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
		w := breaker.Waiter{Waker: &breaker.Waker{}}
		if err := w.Waker.Start(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
		door := e.Of(object.EnvironmentOf(hook)).Breaker
		door.Pass(w, true) // when it still might
		_, _ = e.Find(t.Context(), hook, "", w)
		door.Reset(0)
		if queue.Len() != tc.waits {
			t.Errorf("%s: %s: %d are woken, want %d", name, tc.reason, queue.Len(), tc.waits)
		}
		door.Trip("")
		queue.ShutDown()
	}
}

// TestAdmissions: each object gets the answer that is its own, whoever was asked about before.
func TestAdmissions(t *testing.T) {
	t.Parallel()
	env, around := objecttest.SharedAmong(map[string]bool{"team": true, "stranger": false})
	env.Spec.AllowedNamespaces.AccountIDPrefixes = []string{"{namespace}-"}
	here := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "stranger", Name: "own"}}
	linked := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "theirs"}}
	cache := objecttest.CacheOf(t, append(around, here, linked)...)
	cluster := v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: "shared"}
	cases := map[string]struct {
		reason     string
		namespace  string
		env        v1alpha1.EnvironmentReference
		account    v1alpha1.AccountReference
		namespaced bool
		want       object.Access
	}{
		"Allowed":    {"namespace and account", "team", cluster, v1alpha1.AccountReference{LinkedAccountID: "team-1"}, false, object.Granted},
		"Account":    {"not this account", "team", cluster, v1alpha1.AccountReference{LinkedAccountID: "other-1"}, false, object.Refused},
		"ByName":     {"nor by the name of a LinkedAccount", "team", cluster, v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: "theirs"}}, false, object.Refused},
		"NoAccount":  {"it waits for one", "team", cluster, v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: "none"}}, false, object.Granted},
		"Namespace":  {"not this namespace", "stranger", cluster, v1alpha1.AccountReference{LinkedAccountID: "stranger-1"}, false, object.Refused},
		"Own":        {"its own environment", "stranger", v1alpha1.EnvironmentReference{Name: "own"}, v1alpha1.AccountReference{LinkedAccountID: "x"}, false, object.Granted},
		"Missing":    {"there is none", "team", v1alpha1.EnvironmentReference{Name: "own"}, v1alpha1.AccountReference{LinkedAccountID: "x"}, false, object.Missing},
		"Namespaced": {"clusters' are out of reach", "team", cluster, v1alpha1.AccountReference{LinkedAccountID: "team-1"}, true, object.Missing},
	}
	together := (&Pool{Cache: cache}).Admissions()
	for name, tc := range cases {
		obj := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: tc.namespace, Name: "hook"}}
		obj.Spec.EnvironmentRef, obj.Spec.AccountReference = tc.env, tc.account
		asked := []Admissions{(&Pool{Cache: cache, namespaced: tc.namespaced}).Admissions()}
		if !tc.namespaced {
			asked = append(asked, together)
		}
		for _, admissions := range asked {
			got, err := admissions.Of(t.Context(), obj, "")
			if err != nil || got != tc.want {
				t.Errorf("%s: %s: %v, %v, want %v", name, tc.reason, got, err, tc.want)
			}
		}
	}
}
