package controller

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// CacheOptions keep in memory what the controllers need and no secret.
// Namespaces are those to watch; none is all.
func CacheOptions(namespaces []string) cache.Options {
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {
				Transform: stripMetadata,
				// By far the most Secrets of many clusters, and never an input.
				Field: fields.AndSelectors(
					fields.OneTermNotEqualSelector("type", "helm.sh/release.v1"),
					fields.OneTermNotEqualSelector("type", string(corev1.SecretTypeServiceAccountToken)),
				),
			},
			&corev1.ConfigMap{}: {Transform: stripMetadata},
		},
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// stripMetadata leaves what identifies a version of an object, its owners, and
// our own labels and annotations. Others go: kubectl's last-applied-configuration
// holds the content.
func stripMetadata(in any) (any, error) {
	if object, ok := in.(*metav1.PartialObjectMetadata); ok {
		object.ObjectMeta = metav1.ObjectMeta{
			Name: object.Name, Namespace: object.Namespace, UID: object.UID, ResourceVersion: object.ResourceVersion,
			DeletionTimestamp: object.DeletionTimestamp, OwnerReferences: object.OwnerReferences,
			Labels: ours(object.Labels), Annotations: ours(object.Annotations),
		}
	}
	return in, nil
}

// ours returns the labels or annotations of this API group, or nil.
func ours(all map[string]string) map[string]string {
	var own map[string]string
	for key, value := range all {
		if !strings.HasPrefix(key, v1alpha1.GroupVersion.Group+"/") {
			continue
		}
		if own == nil {
			own = map[string]string{}
		}
		own[key] = value
	}
	return own
}
