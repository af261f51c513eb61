package controller

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

// owner is the account that an object belongs to.
type owner struct {
	// id by which calls name it; empty while it is not known.
	id string
	// made stands for the account that a LinkedAccount has in Cobalt: another one
	// after it was deleted there and made again. Empty where an id is given.
	made string
	// linked is that LinkedAccount.
	linked types.NamespacedName
}

// accounts finds the account of an object.
type accounts struct {
	cache  client.Reader
	remade *remade
}

// newAccounts returns what finds accounts in a cache.
func newAccounts(cache client.Reader) accounts { return accounts{cache, newRemade()} }

// of returns the account of obj. Beside an error it returns what is known of it.
func (a accounts) of(ctx context.Context, obj object.Object) (owner, error) {
	account := obj.Account()
	if account.LinkedAccountRef == nil {
		return owner{id: account.LinkedAccountID}, nil
	}
	known := object.KnownAccount(obj)
	if !obj.GetDeletionTimestamp().IsZero() && known != "" { // the LinkedAccount may be gone
		return owner{id: known}, nil
	}
	linked := &v1alpha1.LinkedAccount{}
	key := types.NamespacedName{Namespace: obj.GetNamespace(), Name: account.LinkedAccountRef.Name}
	err := a.cache.Get(ctx, key, linked)
	switch {
	case apierrors.IsNotFound(err):
		return owner{id: known}, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady,
			"LinkedAccount %s does not exist: create it, or delete this object", key)
	case err != nil:
		return owner{id: known}, fmt.Errorf("read LinkedAccount %s: %w", key, err)
	}
	found := owner{linked.AccountID(), linked.Status.ID, key}
	switch {
	case known != "" && known != found.id:
		return owner{id: known}, condition.StalledBy(v1alpha1.ReasonDifferentAccount,
			"it was made for account %q, and LinkedAccount %s now stands for %q: delete this object and create it again", known, key, found.id)
	case object.EnvironmentOf(linked) != object.EnvironmentOf(obj):
		return found, condition.StalledBy(v1alpha1.ReasonDifferentAccount,
			"LinkedAccount %s is in %s, and this object in %s: delete this object and create it again with the same environmentRef",
			key, object.EnvironmentOf(linked), object.EnvironmentOf(obj))
	case !linked.DeletionTimestamp.IsZero():
		return found, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady, "LinkedAccount %s is being deleted", key)
	case linked.Status.ID == "" && unheard(linked) && !object.SaysMissing(obj, "LinkedAccount "+key.String()):
		return found, condition.ErrWait
	case a.remade.isGone(key, linked.Status.ID) || object.Vanished(linked):
		return found, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady, "LinkedAccount %s is made again in Cobalt, see its status", key)
	case linked.Status.ID == "":
		return found, condition.WaitingFor(v1alpha1.ReasonLinkedAccountNotReady, "LinkedAccount %s is not in Cobalt yet, see its status", key)
	}
	return found, nil
}

// unheard tells whether the operator will say something of an account soon, for the
// first time. What is applied together with it need not be told to wait before that.
func unheard(account *v1alpha1.LinkedAccount) bool {
	return len(account.Status.Conditions) == 0 && !account.Spec.Suspend
}

// named are the LinkedAccount objects that stand for an account id, in all namespaces.
func named(ctx context.Context, cache client.Reader, id string) ([]v1alpha1.LinkedAccount, error) {
	list := &v1alpha1.LinkedAccountList{}
	key := client.MatchingFields{object.IdentityIndex: object.IdentityKey(v1alpha1.AccountReference{LinkedAccountID: id}, "", "")}
	if err := cache.List(ctx, list, key, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the LinkedAccounts of an id: %w", err)
	}
	return list.Items, nil
}

// identityKeys are all values under which objects of obj's kind and identity can be
// found: some name the account, others a LinkedAccount that stands for it.
func (a accounts) identityKeys(ctx context.Context, obj object.Object, id, identity string) ([]string, error) {
	keys := []string{object.IdentityKey(v1alpha1.AccountReference{LinkedAccountID: id}, "", identity)}
	if _, ok := obj.(*v1alpha1.LinkedAccount); ok { // it names none
		return keys, nil
	}
	linked, err := named(ctx, a.cache, id)
	for i := range linked {
		ref := v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: linked[i].Name}}
		keys = append(keys, object.IdentityKey(ref, linked[i].Namespace, identity))
	}
	return keys, err
}

// settling is how long some of Cobalt's servers may not know an account that was just made.
const settling = 2 * time.Minute

// missing is the error of a call that Cobalt refuses because there is no such account.
// One that was just made may be known a moment later.
func missing(ctx context.Context, cache client.Reader, id string, now time.Time) error {
	return &condition.Waiting{
		Reason:  v1alpha1.ReasonLinkedAccountNotReady,
		Message: fmt.Sprintf("account %q is not in Cobalt: create it there, or wait until its LinkedAccount has", id),
		Soon:    settles(ctx, cache, id, now),
	}
}

// vanishing is the error of a call for an account that was there a moment ago. Where Cobalt
// does not know it yet, or no longer, the next run sees what is true. Of one that was just
// made, any miss may say so but that of an application.
func vanishing(err error, justMade bool) error {
	if cobalt.IsUnknownAccount(err) || justMade && cobalt.IsNotFound(err) && !cobalt.IsUnknownApplication(err) {
		return errors.New("the account vanished from Cobalt meanwhile: " + err.Error())
	}
	return err
}

// settles tells whether an account may have been made just now.
func settles(ctx context.Context, cache client.Reader, id string, now time.Time) bool {
	linked, err := named(ctx, cache, id)
	return err == nil && slices.ContainsFunc(linked, func(obj v1alpha1.LinkedAccount) bool { return justMade(&obj, now) })
}

// justMade tells whether the account of obj may have been made just now.
func justMade(obj *v1alpha1.LinkedAccount, now time.Time) bool {
	made := obj.CreationTimestamp.Time
	ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.LastTransitionTime.After(made) {
		made = ready.LastTransitionTime.Time // it may have been made again
	}
	return obj.Status.ID != "" && now.Sub(made) < settling
}
