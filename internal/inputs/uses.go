package inputs

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Reference names a Secret or ConfigMap.
type Reference struct{ Kind, Namespace, Name string }

// String names it in messages and in the index of the cache.
func (r Reference) String() string { return r.Kind + " " + r.Namespace + "/" + r.Name }

func (r Reference) key() types.NamespacedName {
	return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
}

// Use is what an object uses of a Secret or ConfigMap: one key or, where that is empty, all.
type Use struct {
	Reference

	Key string
}

// SourceUses are the uses of value sources, in the namespace of the object that has them.
func SourceUses(namespace string, sources []v1alpha1.ValueSource) []Use {
	var uses []Use
	for _, source := range sources {
		ref, key := SourceReference(namespace, source)
		uses = append(uses, Use{ref, key})
	}
	return uses
}

// SourceReference is what a value source refers to.
func SourceReference(namespace string, source v1alpha1.ValueSource) (ref Reference, key string) {
	if secret := source.SecretKeyRef; secret != nil {
		return Reference{KindSecret, namespace, secret.Name}, secret.Key
	}
	return Reference{KindConfigMap, namespace, source.ConfigMapKeyRef.Name}, source.ConfigMapKeyRef.Key
}

// inOrder are uses in an order that does not depend on spec, each once.
func inOrder(uses []Use) []Use {
	sorted := slices.SortedFunc(slices.Values(uses), func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.String(), b.String()), cmp.Compare(a.Key, b.Key))
	})
	return slices.Compact(sorted)
}

// ReferencesOf are the Secrets and ConfigMaps of uses, in order and each once.
func ReferencesOf(uses []Use) []Reference {
	var refs []Reference
	for _, use := range inOrder(uses) {
		refs = append(refs, use.Reference)
	}
	return slices.Compact(refs)
}
