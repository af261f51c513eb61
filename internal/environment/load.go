package environment

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Load is how much the objects of an environment ask of it: how often they are looked
// at, and what calls one look takes.
type Load struct{ looks []object.Look }

// Users are the objects that refer to an environment.
type Users struct {
	Count int
	// Holders are those that it must not go before, unheld those without the finalizer.
	Holders int
	Unheld  map[types.UID]bool
	Load    Load
}

// PerSecond are the calls that looking at all objects takes.
func (l Load) PerSecond(interval time.Duration) float64 {
	perSecond, lists := 0.0, map[string]time.Duration{}
	for _, look := range l.looks {
		every := look.Interval.Value(interval)
		if every <= 0 {
			continue
		}
		perSecond += float64(look.Calls) / every.Seconds()
		if shared, ok := lists[look.Shared]; look.Shared != "" && (!ok || every < shared) {
			lists[look.Shared] = every
		}
	}
	for _, every := range lists {
		perSecond += 1 / every.Seconds()
	}
	return perSecond
}

// UsersOf finds the objects that refer to an environment.
func (p *Pool) UsersOf(ctx context.Context, key object.EnvironmentKey) (Users, error) {
	found, admissions := Users{Unheld: map[types.UID]bool{}}, p.Admissions()
	byEnvironment := client.MatchingFields{object.EnvironmentIndex: key.String()}
	for _, kind := range object.Users {
		list := kind.List.DeepCopyObject().(client.ObjectList)
		if err := p.Cache.List(ctx, list, byEnvironment, client.UnsafeDisableDeepCopy); err != nil {
			return Users{}, fmt.Errorf("list the objects of %s: %w", key, err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj := item.(object.Object)
			access, err := admissions.Of(ctx, obj, "")
			found.add(kind, obj, access)
			return err
		})
		if err != nil {
			return Users{}, err
		}
	}
	return found, nil
}

func (u *Users) add(kind object.Kind, obj object.Object, access object.Access) {
	u.Count++
	if !object.HasFinalizer(obj) {
		u.Unheld[obj.GetUID()] = true
	}
	if object.Counts(obj, object.Holder, access) {
		u.Holders++
	}
	if object.Counts(obj, object.Load, access) {
		u.Load.looks = append(u.Load.looks, kind.Look(obj))
	}
}
