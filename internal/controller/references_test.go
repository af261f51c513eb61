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
)

// TestDependents has ConfigMaps play a kind whose objects belong to accounts.
func TestDependents(t *testing.T) {
	t.Parallel()
	acme := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme"}}
	acme.Spec.LinkedAccountID = "acme-1"
	acme.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: "default"}
	dependent := func(name, byName, byID string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name},
			Data:       map[string]string{"name": byName, "id": byID},
		}
	}
	leaving := dependent("leaving", "acme", "")
	leaving.Finalizers, leaving.DeletionTimestamp = []string{"a/b"}, &metav1.Time{Time: metav1.Now().Time}
	cases := map[string]struct {
		reason string
		there  []client.Object
		want   string
	}{
		"None":    {reason: "nobody needs the account"},
		"ByName":  {reason: "it refers to the object", there: []client.Object{dependent("a", "acme", "")}, want: "ConfigMap team/a:"},
		"ByID":    {reason: "it names the id", there: []client.Object{dependent("a", "", "acme-1")}, want: "ConfigMap team/a:"},
		"Others":  {reason: "other accounts do not count", there: []client.Object{dependent("a", "globex", ""), dependent("b", "", "acme")}},
		"Leaving": {reason: "it is about to go", there: []client.Object{leaving}},
		"Many": {reason: "the message stays short", there: []client.Object{
			dependent("a", "acme", ""), dependent("b", "acme", ""), dependent("c", "acme", ""),
			dependent("d", "acme", ""), dependent("e", "acme", ""), dependent("f", "acme", ""),
		}, want: "ConfigMap team/e and 1 more: delete them first"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := runtime.NewScheme()
			if err := corev1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			index := func(obj client.Object) []string {
				data := obj.(*corev1.ConfigMap).Data
				return accountKeys(obj.GetNamespace(), data["name"], environmentOf(acme), data["id"])
			}
			cache := fake.NewClientBuilder().WithScheme(scheme).WithObjects(tc.there...).
				WithIndex(&corev1.ConfigMap{}, accountIndex, index).Build()
			err := dependents{cache, []dependentKind{{"ConfigMap", &corev1.ConfigMapList{}}}}.gone(t.Context(), acme)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: %v does not say %q", tc.reason, err, tc.want)
			}
		})
	}
}
