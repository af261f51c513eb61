package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// load is how much the objects of an environment ask of it: how often they are looked
// at, and what calls one look takes.
type load struct{ looks []look }

// users are the objects that refer to an environment.
type users struct {
	count int
	// holders are those that it must not go before, unheld those without the finalizer.
	holders int
	unheld  map[types.UID]bool
	load    load
}

type look struct {
	interval v1alpha1.Duration
	// calls of its own, and the list that it shares with others; empty for none.
	calls  int
	shared string
}

// perSecond are the calls that looking at all objects takes.
func (l load) perSecond(interval time.Duration) float64 {
	perSecond, lists := 0.0, map[string]time.Duration{}
	for _, look := range l.looks {
		every := look.interval.Value(interval)
		if every <= 0 {
			continue
		}
		perSecond += float64(look.calls) / every.Seconds()
		if shared, ok := lists[look.shared]; look.shared != "" && (!ok || every < shared) {
			lists[look.shared] = every
		}
	}
	for _, every := range lists {
		perSecond += 1 / every.Seconds()
	}
	return perSecond
}

// lookOf is what looking at an object takes.
func lookOf(obj client.Object) look {
	switch obj := obj.(type) {
	case *v1alpha1.LinkedAccount:
		return look{obj.Spec.SyncInterval, len(obj.Spec.Observe), "accounts"}
	case *v1alpha1.IntegrationConfig:
		return look{obj.Spec.SyncInterval, 0, "configs of " + obj.Status.LinkedAccountID}
	case *v1alpha1.Webhook:
		return look{obj.Spec.SyncInterval, 1, ""}
	}
	return look{}
}

// usersOf finds the objects that refer to an environment.
func (e *environments) usersOf(ctx context.Context, key object.EnvironmentKey) (users, error) {
	found, admissions := users{unheld: map[types.UID]bool{}}, e.admissions()
	for _, kind := range e.kinds {
		list := kind.List.DeepCopyObject().(client.ObjectList)
		if err := e.cache.List(ctx, list, client.MatchingFields{object.EnvironmentIndex: key.String()}, client.UnsafeDisableDeepCopy); err != nil {
			return users{}, fmt.Errorf("list the objects of %s: %w", key, err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj := item.(object.Object)
			access, err := admissions.of(ctx, obj, "")
			found.add(obj, access)
			return err
		})
		if err != nil {
			return users{}, err
		}
	}
	return found, nil
}

func (u *users) add(obj object.Object, access object.Access) {
	u.count++
	if !object.HasFinalizer(obj) {
		u.unheld[obj.GetUID()] = true
	}
	if object.Counts(obj, object.Holder, access) {
		u.holders++
	}
	if object.Counts(obj, object.Load, access) {
		u.load.looks = append(u.load.looks, lookOf(obj))
	}
}
