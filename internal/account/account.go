// Package account tells which account an object belongs to, and whether that is there.
package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Owner is the account that an object belongs to.
type Owner struct {
	// Id by which calls name it; empty while it is not known.
	ID string
	// Made stands for the account that a LinkedAccount has in Cobalt: another one
	// after it was deleted there and made again. Empty where an id is given.
	Made string
	// Linked is that LinkedAccount.
	Linked types.NamespacedName
}

// Finder finds the account of an object.
type Finder struct {
	cache  client.Reader
	Remade *Remade
}

// NewFinder returns what finds accounts in a cache.
func NewFinder(cache client.Reader) Finder { return Finder{cache, NewRemade()} }

// Of returns the account of obj. Beside an error it returns what is known of it.
func (f Finder) Of(ctx context.Context, obj object.Object) (Owner, error) {
	account := obj.Account()
	if account.LinkedAccountRef == nil {
		return Owner{ID: account.LinkedAccountID}, nil
	}
	known := object.KnownAccount(obj)
	if !obj.GetDeletionTimestamp().IsZero() && known != "" { // the LinkedAccount may be gone
		return Owner{ID: known}, nil
	}
	linked := &v1alpha1.LinkedAccount{}
	key := types.NamespacedName{Namespace: obj.GetNamespace(), Name: account.LinkedAccountRef.Name}
	err := f.cache.Get(ctx, key, linked)
	switch {
	case apierrors.IsNotFound(err):
		return Owner{ID: known}, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady,
			"LinkedAccount %s does not exist: create it, or delete this object", key)
	case err != nil:
		return Owner{ID: known}, fmt.Errorf("read LinkedAccount %s: %w", key, err)
	}
	found := Owner{linked.AccountID(), linked.Status.ID, key}
	switch {
	case known != "" && known != found.ID:
		return Owner{ID: known}, condition.StalledBy(v1alpha1.ReasonDifferentAccount,
			"it was made for account %q, and LinkedAccount %s now stands for %q: delete this object and create it again", known, key, found.ID)
	case object.EnvironmentOf(linked) != object.EnvironmentOf(obj):
		return found, condition.StalledBy(v1alpha1.ReasonDifferentAccount,
			"LinkedAccount %s is in %s, and this object in %s: delete this object and create it again with the same environmentRef",
			key, object.EnvironmentOf(linked), object.EnvironmentOf(obj))
	case !linked.DeletionTimestamp.IsZero():
		return found, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady, "LinkedAccount %s is being deleted", key)
	case linked.Status.ID == "" && Unheard(linked) && !object.SaysMissing(obj, "LinkedAccount "+key.String()):
		return found, condition.ErrWait
	case f.Remade.IsGone(key, linked.Status.ID) || object.Vanished(linked):
		return found, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady, "LinkedAccount %s is made again in Cobalt, see its status", key)
	case linked.Status.ID == "":
		return found, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady, "LinkedAccount %s is not in Cobalt yet, see its status", key)
	}
	return found, nil
}

// Unheard tells whether the operator will say something of an account soon, for the
// first time. What is applied together with it need not be told to wait before that.
func Unheard(account *v1alpha1.LinkedAccount) bool {
	return len(account.Status.Conditions) == 0 && !account.Spec.Suspend
}

// Named are the LinkedAccount objects that stand for an account id, in all namespaces.
func Named(ctx context.Context, cache client.Reader, id string) ([]v1alpha1.LinkedAccount, error) {
	list := &v1alpha1.LinkedAccountList{}
	key := object.IdentityKey(v1alpha1.AccountReference{LinkedAccountID: id}, "", "")
	bucket := client.MatchingFields{object.IdentityIndex: object.IdentityBucket(key)}
	if err := cache.List(ctx, list, bucket, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the LinkedAccounts of an id: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(other v1alpha1.LinkedAccount) bool { return other.AccountID() != id }), nil
}

// IdentityKeys are all keys under which objects of obj's kind and identity can be
// found: some name the account, others a LinkedAccount that stands for it.
func (f Finder) IdentityKeys(ctx context.Context, obj object.Object, id, identity string) ([]string, error) {
	keys := []string{object.IdentityKey(v1alpha1.AccountReference{LinkedAccountID: id}, "", identity)}
	if _, ok := obj.(*v1alpha1.LinkedAccount); ok { // it names none
		return keys, nil
	}
	linked, err := Named(ctx, f.cache, id)
	for i := range linked {
		ref := v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: linked[i].Name}}
		keys = append(keys, object.IdentityKey(ref, linked[i].Namespace, identity))
	}
	return keys, err
}

// settling is how long some of Cobalt's servers may not know an account that was just made.
const settling = 2 * time.Minute

// Missing is the error of a call that Cobalt refuses because there is no such account.
// One that was just made may be known a moment later.
func Missing(ctx context.Context, cache client.Reader, id string, now time.Time) error {
	return &condition.WaitingError{
		Reason:  v1alpha1.ReasonLinkedAccountNotReady,
		Message: fmt.Sprintf("account %q is not in Cobalt: create it there, or wait until its LinkedAccount has", id),
		Soon:    Settles(ctx, cache, id, now),
	}
}

// Vanishing is the error of a call for an account that was there a moment ago. Where Cobalt
// does not know it yet, or no longer, the next run sees what is true. Of one that was just
// made, any miss may say so but that of an application.
func Vanishing(err error, justMade bool) error {
	if cobalt.IsUnknownAccount(err) || justMade && cobalt.IsNotFound(err) && !cobalt.IsUnknownApplication(err) {
		return errors.New("the account vanished from Cobalt meanwhile: " + err.Error())
	}
	return err
}

// Settles tells whether an account may have been made just now.
func Settles(ctx context.Context, cache client.Reader, id string, now time.Time) bool {
	linked, err := Named(ctx, cache, id)
	return err == nil && slices.ContainsFunc(linked, func(obj v1alpha1.LinkedAccount) bool { return JustMade(&obj, now) })
}

// JustMade tells whether the account of obj may have been made just now.
func JustMade(obj *v1alpha1.LinkedAccount, now time.Time) bool {
	made := obj.CreationTimestamp.Time
	ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.LastTransitionTime.After(made) {
		made = ready.LastTransitionTime.Time // it may have been made again
	}
	return obj.Status.ID != "" && now.Sub(made) < settling
}
