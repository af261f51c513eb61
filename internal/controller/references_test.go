package controller

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// sharedAmong is a ClusterEnvironment that namespaces with label cobalt may use, and these namespaces.
func sharedAmong(namespaces map[string]bool) (env *v1alpha1.ClusterEnvironment, all []client.Object) {
	env = &v1alpha1.ClusterEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "shared"}}
	env.Spec.AllowedNamespaces.Selector.MatchLabels = map[string]string{"cobalt": "yes"}
	all = []client.Object{env}
	for name, allowed := range namespaces {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if allowed {
			namespace.Labels = env.Spec.AllowedNamespaces.Selector.MatchLabels
		}
		all = append(all, namespace)
	}
	return env, all
}

// cacheOf is a cache of these objects, with the index by account.
func cacheOf(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	index := func(obj client.Object) []string { return []string{object.AccountKey(obj.(object.Object))} }
	b := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)
	for _, kind := range dependentKinds {
		b = b.WithIndex(kind.Object, object.AccountIndex, index)
	}
	return b.WithIndex(&v1alpha1.LinkedAccount{}, object.IdentityIndex, func(obj client.Object) []string {
		return []string{object.IdentityKey(obj.(object.Object).Account(), obj.GetNamespace(), "")}
	}).Build()
}

func TestDependents(t *testing.T) {
	t.Parallel()
	acme := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme"}}
	acme.Spec.LinkedAccountID = "acme-1"
	acme.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: "shared"}
	in := func(namespace, name, byName, byID string) *v1alpha1.Webhook {
		hook := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		hook.Spec.EnvironmentRef, hook.Spec.LinkedAccountID = acme.Spec.EnvironmentRef, byID
		if byName != "" {
			hook.Spec.LinkedAccountRef = &v1alpha1.LinkedAccountReference{Name: byName}
		}
		return hook
	}
	dependent := func(name, byName, byID string) *v1alpha1.Webhook { return in("team", name, byName, byID) }
	with := func(hook *v1alpha1.Webhook, change func(*v1alpha1.Webhook)) *v1alpha1.Webhook {
		change(hook)
		return hook
	}
	looks := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "looks"}}
	looks.Spec = *acme.Spec.DeepCopy()
	looks.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
	leaving := dependent("leaving", "acme", "")
	leaving.Finalizers, leaving.DeletionTimestamp = []string{"a/b"}, &metav1.Time{Time: metav1.Now().Time}
	cases := map[string]struct {
		reason string
		there  []client.Object
		want   string
	}{
		"None":    {reason: "nobody needs the account"},
		"ByName":  {reason: "it refers to the object", there: []client.Object{dependent("a", "acme", "")}, want: "by Webhook team/a:"},
		"ByID":    {reason: "it names the id", there: []client.Object{dependent("a", "", "acme-1")}, want: "by Webhook team/a:"},
		"Others":  {reason: "other accounts do not count", there: []client.Object{dependent("a", "globex", ""), dependent("b", "", "acme")}},
		"Leaving": {reason: "it is about to go", there: []client.Object{leaving}},
		"Many": {reason: "the message stays short", there: []client.Object{
			dependent("a", "acme", ""), dependent("b", "acme", ""), dependent("c", "acme", ""),
			dependent("d", "acme", ""), dependent("e", "acme", ""), dependent("f", "acme", ""),
		}, want: "Webhook team/e and 1 more: delete them first"},
		"Foreign": {reason: "who reads it may not know its name", there: []client.Object{in("other", "a", "", "acme-1")},
			want: "by 1 object in another namespace: delete"},
		"ForeignToo": {reason: "own ones are named", there: []client.Object{
			in("other", "a", "", "acme-1"), in("other", "b", "", "acme-1"), dependent("c", "acme", ""),
		}, want: "by Webhook team/c, and by 2 objects in other namespaces: delete"},
		"OfANamesake": {reason: "it refers to an object that only looks at the same account", there: []client.Object{
			looks, with(in("other", "a", "looks", ""), func(hook *v1alpha1.Webhook) { hook.Status.ID = "w1" }),
		}, want: "by 1 object in another namespace: delete"},
		"NotAllowed": {reason: "it has no say in this environment", there: []client.Object{in("stranger", "a", "", "acme-1")}},
		"ReadOnly": {reason: "it only looks", there: []client.Object{with(dependent("a", "acme", ""), func(hook *v1alpha1.Webhook) {
			hook.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
		})}},
		"SuspendedNew": {reason: "it has nothing there", there: []client.Object{with(dependent("a", "acme", ""), func(hook *v1alpha1.Webhook) {
			hook.Spec.Suspend = true
		})}},
		"Suspended": {reason: "it has something there", there: []client.Object{with(dependent("a", "acme", ""), func(hook *v1alpha1.Webhook) {
			hook.Spec.Suspend, hook.Status.ID = true, "w1"
		})}, want: "by Webhook team/a:"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, around := sharedAmong(map[string]bool{"team": true, "other": true, "stranger": false})
			cache := cacheOf(t, append(around, tc.there...)...)
			err := dependents{cache, &environments{cache: cache}, dependentKinds, isFinished}.gone(t.Context(), acme)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: %v does not say %q", tc.reason, err, tc.want)
			}
		})
	}
}
