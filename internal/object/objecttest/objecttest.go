// Package objecttest has caches with our objects for tests.
package objecttest

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Scheme knows our kinds and those of the core group.
func Scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

// CacheOf is a cache of these objects, with the indexes by which they are found.
func CacheOf(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	b := fake.NewClientBuilder().WithScheme(Scheme(t)).WithObjects(objects...)
	for _, index := range object.Indexes() {
		b = b.WithIndex(index.Object, index.Name, index.Keys)
	}
	return b.WithIndex(&v1alpha1.LinkedAccount{}, object.IdentityIndex, func(obj client.Object) []string {
		return []string{object.IdentityBucket(object.IdentityKey(obj.(object.Object).Account(), obj.GetNamespace(), ""))}
	}).Build()
}

// SharedAmong is a ClusterEnvironment that namespaces with label cobalt may use, and these namespaces.
func SharedAmong(namespaces map[string]bool) (env *v1alpha1.ClusterEnvironment, all []client.Object) {
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
