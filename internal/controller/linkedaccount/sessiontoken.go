package linkedaccount

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

type tokenInfo = environment.TokenInfo

// sessionTokens keeps a session token of each account that asks for it in a Secret.
type sessionTokens struct {
	// client reads the metadata of Secrets from the cache, and writes.
	client client.Client
	// contents reads Secrets from the API server.
	contents client.Reader
	clock    clock.Clock
	// unwritten are those that are not in their Secrets yet.
	unwritten *unwritten
}

// The keys of the Secret.
const (
	tokenKey     = "token"
	accountKey   = "linked-account-id"
	expiresAtKey = "expires-at"
	portalKey    = "portal-url"
)

// due is when the Secret needs a run: now if it is missing.
func (t sessionTokens) due(ctx context.Context, obj *v1alpha1.LinkedAccount) time.Time {
	if obj.Spec.SessionToken == nil || obj.Spec.ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		return time.Time{}
	}
	secret, err := t.cached(ctx, obj)
	if err != nil { // the run will meet and report what is wrong
		return t.clock.Now()
	}
	if !owns(obj, secret) {
		return time.Time{} // until somebody makes room
	}
	known, ok := tokenInfoOf(obj, secret)
	if !ok {
		return t.clock.Now()
	}
	return known.RenewAt(refreshBefore(obj))
}

// keep makes sure that the Secret holds a good token and no other Secret does,
// and returns when the token is to be renewed.
func (t sessionTokens) keep(
	ctx context.Context, api *cobalt.Client, reader *inputs.Reader, obj *v1alpha1.LinkedAccount,
) (renewAt time.Time, err error) {
	if obj.Spec.SessionToken == nil {
		obj.Status.SessionToken = nil
		return time.Time{}, t.cleanUp(ctx, obj)
	}
	known, version, ok := t.untouched(ctx, obj)
	if !ok {
		if known, version, err = t.refresh(ctx, api, reader, obj); version == "" {
			return time.Time{}, err
		}
	}
	renewAt = known.RenewAt(refreshBefore(obj))
	obj.Status.SessionToken = &v1alpha1.SessionTokenStatus{
		SecretName: obj.Spec.SessionToken.SecretName, SecretVersion: version,
		ExpiresAt: metav1.NewTime(known.ExpiresAt), RenewAt: metav1.NewTime(renewAt),
	}
	if !renewAt.After(t.clock.Now()) { // it was tried and failed: the error says when to try again
		renewAt = time.Time{}
	}
	return renewAt, condition.First(err, t.cleanUp(ctx, obj))
}

// untouched tells whether the Secret is as the status says it was written and
// needs nothing, without reading its contents.
func (t sessionTokens) untouched(ctx context.Context, obj *v1alpha1.LinkedAccount) (known tokenInfo, version string, ok bool) {
	status := obj.Status.SessionToken
	secret, err := t.cached(ctx, obj)
	if err != nil || status == nil || status.SecretVersion != versionOf(secret) || !owns(obj, secret) {
		return tokenInfo{}, "", false
	}
	known, ok = tokenInfoOf(obj, secret)
	return known, status.SecretVersion, ok && t.good(obj, known)
}

// good tells whether nothing has to be asked of Cobalt.
func (t sessionTokens) good(obj *v1alpha1.LinkedAccount, known tokenInfo) bool {
	return known.Account == obj.Status.ID && known.Portal == obj.Spec.SessionToken.HostedPortal &&
		t.clock.Now().Before(known.RenewAt(refreshBefore(obj)))
}

// refresh reads the Secret, and writes it if something in it is missing or due.
// It returns the version that holds a good token, if there is one, even when
// it fails.
func (t sessionTokens) refresh(
	ctx context.Context, api *cobalt.Client, reader *inputs.Reader, obj *v1alpha1.LinkedAccount,
) (known tokenInfo, version string, err error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Spec.SessionToken.SecretName}}
	err = t.contents.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return tokenInfo{}, "", fmt.Errorf("read Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	case err == nil && !owns(obj, secret):
		return tokenInfo{}, "", condition.StalledBy(v1alpha1.ReasonSecretNotOwned,
			"Secret %s exists and was not made for this LinkedAccount: delete it, or set another sessionToken.secretName",
			client.ObjectKeyFromObject(secret))
	}
	known, ok := tokenInfoOf(obj, secret)
	ok = ok && complete(obj, secret, known)
	if ok && t.good(obj, known) {
		return known, versionOf(secret), nil
	}
	if !ok {
		known = tokenInfo{}
	}
	before := secret.DeepCopy()
	known = t.unwritten.fill(obj, reader, secret, known)
	if known, err = t.renew(ctx, api, reader, obj, secret, known); err != nil {
		if ok && known.Valid(t.clock.Now()) {
			version = versionOf(secret)
		}
		return known, version, err
	}
	known, portalErr := t.open(ctx, api, reader, obj, secret, known)
	if err := t.write(ctx, obj, before, secret, known); err != nil {
		t.unwritten.keep(obj, secret, known)
		if condition.Classify(err).Class != condition.Silent {
			metrics.SessionTokens.WithLabelValues("failed").Inc()
		}
		return tokenInfo{}, "", err
	}
	if token := secret.Data[tokenKey]; !bytes.Equal(token, before.Data[tokenKey]) {
		metrics.SessionTokens.WithLabelValues("renewed").Inc()
	}
	t.unwritten.forget(obj.UID)
	return known, versionOf(secret), portalErr // the token is in place without its portal
}

// renew puts another token into secret if the one there is due. It keeps the
// one there as long as it is good and Cobalt has none that lasts longer.
func (t sessionTokens) renew(
	ctx context.Context, api *cobalt.Client, reader *inputs.Reader, obj *v1alpha1.LinkedAccount, secret *corev1.Secret, known tokenInfo,
) (tokenInfo, error) {
	if t.clock.Now().Before(known.RenewAt(refreshBefore(obj))) {
		return known, nil
	}
	token, err := api.CreateSessionToken(ctx, obj.AccountID())
	if err != nil {
		if !condition.HeldBack(err) {
			metrics.SessionTokens.WithLabelValues("failed").Inc()
		}
		return known, fmt.Errorf("session token: %w", err)
	}
	reader.Hide(token.Token)
	now := t.clock.Now()
	fresh := environment.ReadToken(obj.Status.ID, token, now)
	same := token.Token == string(secret.Data[tokenKey])
	switch {
	case known.Valid(now) && (same || !fresh.ExpiresAt.After(known.ExpiresAt)):
		metrics.SessionTokens.WithLabelValues("kept").Inc()
		return known.Later(now), nil
	case !fresh.Valid(now):
		metrics.SessionTokens.WithLabelValues("failed").Inc()
		return known, errors.New("session token: Cobalt answered with one that has expired")
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[tokenKey] = []byte(token.Token)
	delete(secret.Data, portalKey) // it may be of the token before
	return fresh, nil
}

// open puts a portal URL into secret if spec asks for one that is not there.
func (t sessionTokens) open(
	ctx context.Context, api *cobalt.Client, reader *inputs.Reader, obj *v1alpha1.LinkedAccount, secret *corev1.Secret, known tokenInfo,
) (tokenInfo, error) {
	if !obj.Spec.SessionToken.HostedPortal {
		delete(secret.Data, portalKey)
		known.Portal = false
	}
	if known.Portal == obj.Spec.SessionToken.HostedPortal {
		return known, nil
	}
	url, err := api.CreateHostedPortalURL(ctx, obj.AccountID())
	if err != nil {
		return known, fmt.Errorf("hosted portal: %w", err)
	}
	reader.Hide(url)
	secret.Data[portalKey] = []byte(url)
	known.Portal = true
	return known, nil
}

// write writes the Secret, as long as it is the version that was read. Nothing
// is copied from obj: labels and annotations by which tools track obj would
// have them take the Secret for their own.
func (t sessionTokens) write(ctx context.Context, obj *v1alpha1.LinkedAccount, before, secret *corev1.Secret, known tokenInfo) error {
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	secret.Data[accountKey] = []byte(obj.AccountID())
	secret.Data[expiresAtKey] = []byte(known.ExpiresAt.Format(time.RFC3339))
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, TokenAnnotation, string(text))
	metav1.SetMetaDataLabel(&secret.ObjectMeta, AccountLabel, labelOf(obj.Name))
	// Blocking the deletion of obj would need rights to its finalizers.
	err = controllerutil.SetControllerReference(obj, secret, t.client.Scheme(), controllerutil.WithBlockOwnerDeletion(false))
	if err != nil {
		return err
	}
	switch {
	case secret.UID == "":
		err = t.client.Create(ctx, secret)
	case !equality.Semantic.DeepEqual(before, secret):
		err = t.client.Update(ctx, secret)
	}
	if err != nil {
		return fmt.Errorf("write Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	return nil
}

// cleanUp deletes the Secrets that were made for obj and are no longer asked for.
func (t sessionTokens) cleanUp(ctx context.Context, obj *v1alpha1.LinkedAccount) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	err := t.client.List(ctx, list, client.InNamespace(obj.Namespace), client.MatchingFields{object.OutputIndex: obj.Name})
	if err != nil {
		return fmt.Errorf("list the Secrets of this LinkedAccount: %w", err)
	}
	secrets := slices.DeleteFunc(list.Items, func(secret metav1.PartialObjectMetadata) bool {
		return obj.Spec.SessionToken != nil && obj.Spec.SessionToken.SecretName == secret.Name
	})
	if len(secrets) == 0 {
		return nil
	}
	if err := t.asks(ctx, obj); err != nil {
		return err
	}
	for i := range secrets {
		secret := &secrets[i]
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(inputs.KindSecret))
		err := t.client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete Secret %s: %w", client.ObjectKeyFromObject(secret), err)
		}
	}
	return nil
}

// asks makes sure that spec, which says what is no longer asked for, is not long past.
func (t sessionTokens) asks(ctx context.Context, obj *v1alpha1.LinkedAccount) error {
	now := &v1alpha1.LinkedAccount{}
	if err := t.contents.Get(ctx, client.ObjectKeyFromObject(obj), now); err != nil {
		return err
	}
	if now.UID != obj.UID || now.Generation != obj.Generation {
		return condition.ErrStale
	}
	return nil
}
