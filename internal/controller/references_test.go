package controller

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func TestDependents(t *testing.T) {
	t.Parallel()
	acme := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme"}}
	acme.Spec.LinkedAccountID = "acme-1"
	acme.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: "default"}
	dependent := func(name, byName, byID string) *v1alpha1.Webhook {
		hook := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name}}
		hook.Spec.EnvironmentRef, hook.Spec.LinkedAccountID = acme.Spec.EnvironmentRef, byID
		if byName != "" {
			hook.Spec.LinkedAccountRef = &v1alpha1.LinkedAccountReference{Name: byName}
		}
		return hook
	}
	leaving := dependent("leaving", "acme", "")
	leaving.Finalizers, leaving.DeletionTimestamp = []string{"a/b"}, &metav1.Time{Time: metav1.Now().Time}
	cases := map[string]struct {
		reason string
		there  []client.Object
		want   string
	}{
		"None":    {reason: "nobody needs the account"},
		"ByName":  {reason: "it refers to the object", there: []client.Object{dependent("a", "acme", "")}, want: "Webhook team/a:"},
		"ByID":    {reason: "it names the id", there: []client.Object{dependent("a", "", "acme-1")}, want: "Webhook team/a:"},
		"Others":  {reason: "other accounts do not count", there: []client.Object{dependent("a", "globex", ""), dependent("b", "", "acme")}},
		"Leaving": {reason: "it is about to go", there: []client.Object{leaving}},
		"Many": {reason: "the message stays short", there: []client.Object{
			dependent("a", "acme", ""), dependent("b", "acme", ""), dependent("c", "acme", ""),
			dependent("d", "acme", ""), dependent("e", "acme", ""), dependent("f", "acme", ""),
		}, want: "Webhook team/e and 1 more: delete them first"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			index := func(obj client.Object) []string { return []string{accountKeyOf(obj.(Object))} }
			b := fake.NewClientBuilder().WithScheme(scheme).WithObjects(tc.there...)
			for _, kind := range dependentKinds {
				b = b.WithIndex(kind.object, accountIndex, index)
			}
			err := dependents{b.Build(), &environments{}, dependentKinds}.gone(t.Context(), acme)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: %v does not say %q", tc.reason, err, tc.want)
			}
		})
	}
}
