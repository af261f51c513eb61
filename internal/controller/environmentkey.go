package controller

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// EnvironmentObject is an Environment or a ClusterEnvironment.
type EnvironmentObject interface {
	client.Object
	Settings() *v1alpha1.EnvironmentSettings
	EnvironmentStatus() *v1alpha1.EnvironmentStatus
	APIKey() v1alpha1.NamespacedAPIKeyReference
	CABundle() *v1alpha1.NamespacedCABundleReference
}

// environmentKey names an Environment or, without a namespace, a ClusterEnvironment.
type environmentKey struct {
	kind v1alpha1.EnvironmentKind
	types.NamespacedName
}

func (k environmentKey) String() string {
	return string(k.kind) + " " + strings.TrimPrefix(k.NamespacedName.String(), "/")
}

func environmentOf(obj Object) environmentKey {
	ref := obj.MemberSpec().EnvironmentRef
	key := environmentKey{v1alpha1.KindEnvironment, types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name}}
	if ref.Kind == v1alpha1.KindClusterEnvironment {
		key.kind, key.Namespace = v1alpha1.KindClusterEnvironment, ""
	}
	return key
}

// environmentIn is the environment of obj as its status names it.
func environmentIn(obj Object) string {
	ref := obj.MemberSpec().EnvironmentRef
	return string(ref.Kind) + "/" + ref.Name
}
