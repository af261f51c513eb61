package controller

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/linkedaccount"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// CacheOptions keep in memory what the controllers need and no secret.
// Namespaces are those to watch; none is all.
func CacheOptions(namespaces []string) cache.Options {
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {
				Transform: stripSecret,
				// By far the most Secrets of many clusters, and never an input.
				Field: fields.AndSelectors(
					fields.OneTermNotEqualSelector("type", "helm.sh/release.v1"),
					fields.OneTermNotEqualSelector("type", string(corev1.SecretTypeServiceAccountToken)),
				),
			},
			&corev1.ConfigMap{}: {Transform: stripConfigMap},
			&corev1.Namespace{}: {Transform: stripNamespace},
		},
	}
	for _, kind := range object.Kinds {
		options.ByObject[kind.Object] = cache.ByObject{Transform: shareTexts}
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// shareTexts has our objects share the texts that most of them have: each one that is decoded brings copies of its own.
func shareTexts(in any) (any, error) {
	out, err := cache.TransformStripManagedFields()(in)
	obj, ok := out.(client.Object)
	if !ok || err != nil {
		return out, err
	}
	obj.SetNamespace(shared(obj.GetNamespace()))
	finalizers := obj.GetFinalizers()
	for i := range finalizers {
		finalizers[i] = shared(finalizers[i])
	}
	conditions := conditionsOf(obj)
	for i := range conditions {
		c := &conditions[i]
		c.Type, c.Status, c.Reason = shared(c.Type), shared(c.Status), shared(c.Reason)
		if c.Reason == v1alpha1.ReasonSynced { // others may have a message of their own
			c.Message = shared(c.Message)
		}
	}
	return obj, nil
}

func shared[T comparable](text T) T { return unique.Make(text).Value() }

// stripSecret leaves what identifies a version of a Secret and, of one that was made for a
// LinkedAccount, whose it is and what is known of its token. What others can write
// there takes no room: kubectl's last-applied-configuration even holds the content.
func stripSecret(in any) (any, error) {
	meta, ok := in.(*metav1.PartialObjectMetadata)
	if !ok {
		return in, nil
	}
	before := meta.ObjectMeta
	meta.ObjectMeta = identityOf(before)
	owner := metav1.GetControllerOfNoCopy(&before)
	if owner == nil || !linkedaccount.IsLinkedAccount(owner) || len(owner.APIVersion)+len(owner.Name)+len(owner.UID) > longestOwner {
		return in, nil
	}
	meta.OwnerReferences = []metav1.OwnerReference{*owner}
	meta.Labels = onlyOf(before.Labels, linkedaccount.AccountLabel, linkedaccount.LongestLabel)
	meta.Annotations = onlyOf(before.Annotations, linkedaccount.TokenAnnotation, longestIssue)
	return in, nil
}

// stripConfigMap leaves what identifies a version of a ConfigMap.
func stripConfigMap(in any) (any, error) {
	if meta, ok := in.(*metav1.PartialObjectMetadata); ok {
		meta.ObjectMeta = identityOf(meta.ObjectMeta)
	}
	return in, nil
}

// stripNamespace leaves the labels of a Namespace, by which environments allow it.
func stripNamespace(in any) (any, error) {
	if meta, ok := in.(*metav1.PartialObjectMetadata); ok {
		labels := meta.Labels
		meta.ObjectMeta = identityOf(meta.ObjectMeta)
		meta.Labels = labels
	}
	return in, nil
}

func identityOf(meta metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: meta.Name, Namespace: meta.Namespace, UID: meta.UID, ResourceVersion: meta.ResourceVersion,
		DeletionTimestamp: meta.DeletionTimestamp,
	}
}

// onlyOf keeps one of labels or annotations, if it is no longer than it can be.
func onlyOf(all map[string]string, key string, longest int) map[string]string {
	if value, ok := all[key]; ok && len(value) <= longest {
		return map[string]string{key: value}
	}
	return nil
}

// longestIssue is how many bytes what is known of a token takes at most, longestOwner a
// reference to a LinkedAccount.
const (
	longestIssue = 2 << 10
	longestOwner = 512
)
