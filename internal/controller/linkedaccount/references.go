package linkedaccount

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// dependents finds the objects of an account among the kinds that have any: the
// account is not deleted in Cobalt before they are.
type dependents struct {
	cache        client.Reader
	environments *environment.Pool
	// finished tells whether an object needs its account no more.
	finished func(client.Object) bool
}

// mostDependents is how many of them a message names.
const mostDependents = 5

// gone returns waiting while objects of the account exist that count. What it says is
// read in the account's namespace, and names nothing of others.
func (d dependents) gone(ctx context.Context, obj *v1alpha1.LinkedAccount) error {
	foreign := 0
	var names []string
	err := d.each(ctx, obj, func(kind string, user object.Object) {
		if user.GetNamespace() != obj.Namespace {
			foreign++
			return
		}
		names = append(names, kind+" "+client.ObjectKeyFromObject(user).String())
	})
	if err != nil {
		return err
	}
	if len(names) == 0 && foreign == 0 {
		return nil
	}
	return condition.WaitingFor(v1alpha1.ReasonDependentsExist,
		"the account is still used by %s: delete them first, or set deletionPolicy: Orphan",
		usersInWords(names, foreign))
}

// each visits the objects of the account that count.
func (d dependents) each(ctx context.Context, obj *v1alpha1.LinkedAccount, visit func(kind string, user object.Object)) error {
	admissions := d.environments.Admissions()
	counts := func(user object.Object) (bool, error) {
		access, err := admissions.Of(ctx, user, obj.AccountID())
		if err != nil || d.finished(user) || !object.Counts(user, object.Dependent, access) {
			return false, err
		}
		return d.environments.SameEndpoint(ctx, object.EnvironmentOf(obj), object.EnvironmentOf(user))
	}
	keys, err := d.keysOf(ctx, obj)
	if err != nil {
		return err
	}
	for _, dependent := range object.Dependents {
		for _, key := range keys {
			list := dependent.List.DeepCopyObject().(client.ObjectList)
			if err := d.cache.List(ctx, list, client.MatchingFields{object.AccountIndex: key}); err != nil {
				return fmt.Errorf("list the %s objects of the account: %w", dependent.Name, err)
			}
			err := meta.EachListItem(list, func(item runtime.Object) error {
				does, err := counts(item.(object.Object))
				if does {
					visit(dependent.Name, item.(object.Object))
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// keysOf are the values of object.AccountIndex under which the objects of the account are found. Some
// refer to another LinkedAccount that stands for the same, such as one that only looks.
func (d dependents) keysOf(ctx context.Context, obj *v1alpha1.LinkedAccount) ([]string, error) {
	keys := []string{object.ByName(obj.Namespace, obj.Name), object.ByID(obj.AccountID())}
	linked, err := account.Named(ctx, d.cache, obj.AccountID())
	for i := range linked {
		if key := object.ByName(linked[i].Namespace, linked[i].Name); key != keys[0] {
			keys = append(keys, key)
		}
	}
	return keys, err
}

// usersInWords names those who use an account to somebody who may see these names, and
// says how many others there are in other namespaces.
func usersInWords(names []string, foreign int) string {
	slices.Sort(names)
	words := strings.Join(names[:min(len(names), mostDependents)], ", ")
	if len(names) > mostDependents {
		words += fmt.Sprintf(" and %d more", len(names)-mostDependents)
	}
	others := fmt.Sprintf("%d objects in other namespaces", foreign)
	if foreign == 1 {
		others = "1 object in another namespace"
	}
	switch {
	case foreign == 0:
		return words
	case len(names) == 0:
		return others
	}
	return words + ", and by " + others
}
