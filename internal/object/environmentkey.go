package object

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// EnvironmentKey names an Environment or, without a namespace, a ClusterEnvironment.
type EnvironmentKey struct {
	Kind v1alpha1.EnvironmentKind
	types.NamespacedName
}

// String names the environment in messages, metrics and the index of the cache.
func (k EnvironmentKey) String() string {
	return string(k.Kind) + " " + strings.TrimPrefix(k.NamespacedName.String(), "/")
}

// EnvironmentOf is the environment that obj refers to.
func EnvironmentOf(obj Object) EnvironmentKey {
	ref := obj.MemberSpec().EnvironmentRef
	key := EnvironmentKey{v1alpha1.KindEnvironment, types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name}}
	if ref.Kind == v1alpha1.KindClusterEnvironment {
		key.Kind, key.Namespace = v1alpha1.KindClusterEnvironment, ""
	}
	return key
}

// EnvironmentName is the environment of obj as its status names it.
func EnvironmentName(obj Object) string {
	ref := obj.MemberSpec().EnvironmentRef
	return string(ref.Kind) + "/" + ref.Name
}

// GenerationOf is the generation of an environment; zero if there is none.
func GenerationOf(env Environment) int64 {
	if env == nil {
		return 0
	}
	return env.GetGeneration()
}
