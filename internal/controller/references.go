package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// accountIndex finds the objects that belong to an account.
const accountIndex = "account"

// dependentKind is a kind whose objects belong to an account: the account is not
// deleted in Cobalt before they are.
type dependentKind struct {
	kind string
	list client.ObjectList
}

// dependents finds the objects of an account among the kinds that have any.
type dependents struct {
	cache client.Reader
	kinds []dependentKind
}

// accountKeys are the values of accountIndex for an object that belongs to an
// account: of the LinkedAccount it refers to, or else of the id in its environment.
func accountKeys(namespace, linkedAccount string, env environmentKey, id string) []string {
	if linkedAccount != "" {
		return []string{"name " + namespace + "/" + linkedAccount}
	}
	return []string{"id " + env.String() + " " + id}
}

// mostDependents is how many of them a message names.
const mostDependents = 5

// gone returns waiting while objects of the account exist that are not being deleted.
func (d dependents) gone(ctx context.Context, account *v1alpha1.LinkedAccount) error {
	keys := append(accountKeys(account.Namespace, account.Name, environmentKey{}, ""),
		accountKeys("", "", environmentOf(account), account.AccountID())...)
	var names []string
	for _, dependent := range d.kinds {
		for _, key := range keys {
			list := dependent.list.DeepCopyObject().(client.ObjectList)
			if err := d.cache.List(ctx, list, client.MatchingFields{accountIndex: key}); err != nil {
				return fmt.Errorf("list the %s objects of the account: %w", dependent.kind, err)
			}
			_ = meta.EachListItem(list, func(item runtime.Object) error { // the function never fails
				if obj := item.(client.Object); obj.GetDeletionTimestamp().IsZero() {
					names = append(names, dependent.kind+" "+client.ObjectKeyFromObject(obj).String())
				}
				return nil
			})
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	more := ""
	if len(names) > mostDependents {
		more = fmt.Sprintf(" and %d more", len(names)-mostDependents)
	}
	return waitingFor(v1alpha1.ReasonDependentsExist, "the account is still used by %s%s: delete them first, or set deletionPolicy: Orphan",
		strings.Join(names[:min(len(names), mostDependents)], ", "), more)
}
