package controller

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Mapper knows the kinds that the controllers read and write, which are always the
// same. Asking the API server for them would take requests at each start, and looking
// them up in all that it serves an eighth of the operator's time.
func Mapper() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	add := func(version schema.GroupVersion, scope meta.RESTScope, kinds ...string) {
		for _, kind := range kinds {
			mapper.Add(version.WithKind(kind), scope)
			mapper.Add(version.WithKind(kind+"List"), scope)
		}
	}
	add(corev1.SchemeGroupVersion, meta.RESTScopeNamespace, "Secret", "ConfigMap")
	add(corev1.SchemeGroupVersion, meta.RESTScopeRoot, "Namespace")
	for _, kind := range object.Kinds {
		scope := meta.RESTScopeNamespace
		if isOfCluster(kind) {
			scope = meta.RESTScopeRoot
		}
		add(v1alpha1.GroupVersion, scope, kind.Name)
	}
	return mapper
}

// isOfCluster tells whether objects of a kind are in no namespace.
func isOfCluster(kind object.Kind) bool { return kind.Name == string(v1alpha1.KindClusterEnvironment) }
