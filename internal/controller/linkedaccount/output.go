package linkedaccount

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// AccountLabel says which LinkedAccount a Secret was made for.
const AccountLabel = "cobalt.gocobalt.io/linked-account"

// TokenAnnotation holds the tokenInfo of the token in a Secret.
const TokenAnnotation = "cobalt.gocobalt.io/session-token"

// cached returns the metadata of the Secret that obj wants written.
func (t sessionTokens) cached(ctx context.Context, obj *v1alpha1.LinkedAccount) (client.Object, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(inputs.KindSecret))
	err := t.client.Get(ctx, types.NamespacedName{Namespace: obj.Namespace, Name: obj.Spec.SessionToken.SecretName}, secret)
	return secret, err
}

// IndexOutputs lets the Secrets be found that were made for a LinkedAccount.
func IndexOutputs(ctx context.Context, indexer client.FieldIndexer) error {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(inputs.KindSecret))
	return indexer.IndexField(ctx, secret, object.OutputIndex, func(secret client.Object) []string {
		if name := madeFor(secret); name != "" {
			return []string{name}
		}
		return nil
	})
}

// madeFor names the LinkedAccount that a Secret was made for; empty for other
// Secrets. It goes by the owner's name and not by its uid, which is another
// one after a restore from a backup.
func madeFor(secret client.Object) string {
	owner := metav1.GetControllerOf(secret)
	if owner == nil || !IsLinkedAccount(owner) || secret.GetLabels()[AccountLabel] != labelOf(owner.Name) {
		return ""
	}
	return owner.Name
}

// IsLinkedAccount tells whether an owner is one.
func IsLinkedAccount(owner *metav1.OwnerReference) bool {
	group, err := schema.ParseGroupVersion(owner.APIVersion)
	return err == nil && group.Group == v1alpha1.GroupVersion.Group && owner.Kind == "LinkedAccount"
}

func owns(obj *v1alpha1.LinkedAccount, secret client.Object) bool { return madeFor(secret) == obj.Name }

// tokenInfoOf is what is known of the token in a Secret. Nothing is known of that of
// another account, or of an owner whose Secrets are about to be collected.
func tokenInfoOf(obj *v1alpha1.LinkedAccount, secret client.Object) (known tokenInfo, ok bool) {
	if owner := metav1.GetControllerOf(secret); owner == nil || owner.UID != obj.UID {
		return tokenInfo{}, false
	}
	err := json.Unmarshal([]byte(secret.GetAnnotations()[TokenAnnotation]), &known)
	return known, err == nil
}

// complete tells whether the contents of a Secret are what is known of it.
func complete(obj *v1alpha1.LinkedAccount, secret *corev1.Secret, known tokenInfo) bool {
	return known.Account == obj.Status.ID &&
		len(secret.Data[tokenKey]) > 0 &&
		string(secret.Data[accountKey]) == obj.AccountID() &&
		string(secret.Data[expiresAtKey]) == known.ExpiresAt.Format(time.RFC3339) &&
		known.Portal == (len(secret.Data[portalKey]) > 0)
}

func versionOf(secret client.Object) string {
	return string(secret.GetUID()) + "." + secret.GetResourceVersion()
}

func refreshBefore(obj *v1alpha1.LinkedAccount) time.Duration {
	return obj.Spec.SessionToken.RefreshBefore.Value(environment.UsualRefresh)
}

// LongestLabel is how long the value of a label can be.
const LongestLabel = 63

// labelOf is name as the value of a label, shortened if need be.
func labelOf(name string) string {
	if len(name) <= LongestLabel {
		return name
	}
	digest := sha256.Sum256([]byte(name))
	suffix := "-" + hex.EncodeToString(digest[:])[:10]
	return name[:LongestLabel-len(suffix)] + suffix
}
