package linkedaccount

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/eventtrigger"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/object/objecttest"
)

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
			_, around := objecttest.SharedAmong(map[string]bool{"team": true, "other": true, "stranger": false})
			cache := objecttest.CacheOf(t, append(around, tc.there...)...)
			err := dependents{cache, &environment.Pool{Cache: cache}, eventtrigger.IsFinished}.gone(t.Context(), acme)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: %v does not say %q", tc.reason, err, tc.want)
			}
		})
	}
}
