package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/managed"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/once"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// watch has the objects of a kind looked at when something else changes.
type watch func(b *builder.Builder, list client.ObjectList)

// setupManaged adds the controller of a kind that keeps a state in Cobalt.
func setupManaged[T object.Managed, R any](ctx context.Context, s *setup, r *managed.Reconciler[T, R], more ...watch) error {
	if err := r.IndexIdentities(ctx, s.mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("set up %s: %w", r.Kind, err)
	}
	b, err := startOf(ctx, s, &r.Core, r.Resource.Uses)
	if err != nil {
		return err
	}
	b.Owns(&corev1.Secret{}, builder.OnlyMetadata, builder.WithPredicates(deleted)). // our own writes are no news
												Watches(r.Prototype, handler.EnqueueRequestsFromMapFunc(r.RequestsForConflicting),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}, existing))
	s.watchEnvironments(b, r.List)
	s.watchLabels(b, s.eachIn(r.RequestsForConflicting, r.List))
	for _, watch := range more {
		watch(b, r.List)
	}
	return s.complete(b, r, r.Kind, r.Waker)
}

// setupOnce adds the controller of a kind whose calls must not be made twice.
func setupOnce[T object.Object](ctx context.Context, s *setup, r *once.Reconciler[T], more ...watch) error {
	b, err := startOf(ctx, s, &r.Core, r.Action.Uses)
	if err != nil {
		return err
	}
	s.watchEnvironments(b, r.List)
	for _, watch := range more {
		watch(b, r.List)
	}
	return s.complete(b, r, r.Kind, r.Waker)
}

// watchEnvironments has the objects of a kind looked at when their environment
// changes: it may allow, release or forbid what it did not before.
func (s *setup) watchEnvironments(b *builder.Builder, list client.ObjectList) {
	b.Watches(&v1alpha1.Environment{}, handler.EnqueueRequestsFromMapFunc(s.usersOf(v1alpha1.KindEnvironment, list)),
		builder.WithPredicates(predicate.GenerationChangedPredicate{}, created))
	if !s.options.Namespaced {
		b.Watches(&v1alpha1.ClusterEnvironment{}, handler.EnqueueRequestsFromMapFunc(s.usersOf(v1alpha1.KindClusterEnvironment, list)),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}, created)).
			WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(s.usersIn(list)),
				builder.WithPredicates(predicate.LabelChangedPredicate{}, created))
	}
}

// watchAccounts has the objects of a kind looked at when their account comes, goes
// or is made again.
func (s *setup) watchAccounts(b *builder.Builder, list client.ObjectList) {
	b.Watches(&v1alpha1.LinkedAccount{}, handler.EnqueueRequestsFromMapFunc(s.dependentsOf(list)), builder.WithPredicates(accountChanged))
}

// setupEnvironments adds the controller of a kind of environment.
func setupEnvironments[T object.Environment](ctx context.Context, s *setup, prototype T) error {
	r := environment.New(s.Deps, environment.Options{
		AllowedAPIOrigins: s.options.AllowedAPIOrigins, UserAgent: s.options.UserAgent, Tracer: s.options.Tracer,
	}, prototype)
	b, err := startOf(ctx, s, &r.Core, r.Uses)
	if err != nil {
		return err
	}
	kind := v1alpha1.EnvironmentKind(r.Kind)
	for _, user := range object.Users {
		b.Watches(user.Object, s.wakeEnvironment(kind), builder.WithPredicates(concernsEnvironment))
	}
	if kind == v1alpha1.KindClusterEnvironment {
		s.watchLabels(b, s.everyOne(r.List))
	}
	return s.complete(b, r, r.Kind, r.Waker)
}

// recorder is the controller that events name.
const recorder = "cobalt-operator"

// startOf is what all controllers have in common: what they watch and how they pause after failures. uses is what an object
// uses of Secrets and ConfigMaps.
func startOf[T client.Object](ctx context.Context, s *setup, core *engine.Core[T], uses func(T) []inputs.Use) (*builder.Builder, error) {
	err := s.mgr.GetFieldIndexer().IndexField(ctx, core.Prototype, object.InputsIndex, func(obj client.Object) []string {
		var keys []string
		for _, ref := range inputs.ReferencesOf(uses(obj.(T))) {
			keys = append(keys, ref.String())
		}
		return keys
	})
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", core.Kind, err)
	}
	toUsers := handler.EnqueueRequestsFromMapFunc(s.usersOfInput(core.List))
	return ctrl.NewControllerManagedBy(s.mgr).
		For(core.Prototype, builder.WithPredicates(predicate.Or[client.Object](
			predicate.GenerationChangedPredicate{}, requestChanged, engine.MetadataTakenAway))).
		WatchesMetadata(&corev1.Secret{}, toUsers).
		WatchesMetadata(&corev1.ConfigMap{}, toUsers).
		WatchesRawSource(core.Waker).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: s.options.workers + s.options.SpareWorkers,
			RateLimiter:             core.Memories,
			NewQueue:                s.options.Queue,
		}), nil
}

// requestChanged lets what people ask for by annotation through: it changes no generation.
var requestChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		accept := v1alpha1.AcceptEnvironmentAnnotation
		return object.Wishes(e.ObjectOld) != object.Wishes(e.ObjectNew) ||
			e.ObjectOld.GetAnnotations()[accept] != e.ObjectNew.GetAnnotations()[accept]
	},
}

// concernsEnvironment lets through that an object comes or goes, that its environment need not
// wait for it any more, and that it begins or ends to ask for looks.
var concernsEnvironment = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(object.Object), e.ObjectNew.(object.Object)
	return ends(before, after, object.Holder) || ends(before, after, object.Load) || ends(after, before, object.Load)
}}

// ends tells whether an object that may use its environment does not count for a use any more.
func ends(before, after object.Object, use object.Use) bool {
	return object.Counts(before, use, object.Granted) && !object.Counts(after, use, object.Granted)
}

// deleted lets only the end of an object through.
var deleted = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(event.UpdateEvent) bool { return false },
}

// usersOfInput finds the objects of a kind that refer to a Secret or ConfigMap.
func (s *setup) usersOfInput(list client.ObjectList) handler.MapFunc {
	return s.find(list, func(input client.Object) client.ListOption {
		ref := inputs.Reference{Kind: input.GetObjectKind().GroupVersionKind().Kind, Namespace: input.GetNamespace(), Name: input.GetName()}
		return client.MatchingFields{object.InputsIndex: ref.String()}
	})
}

// usersOf finds the objects of a kind that refer to an environment.
func (s *setup) usersOf(kind v1alpha1.EnvironmentKind, list client.ObjectList) handler.MapFunc {
	return s.find(list, func(env client.Object) client.ListOption {
		key := object.EnvironmentKey{Kind: kind, NamespacedName: client.ObjectKeyFromObject(env)}
		return client.MatchingFields{object.EnvironmentIndex: key.String()}
	})
}

// usersIn finds the objects of a kind in a namespace.
func (s *setup) usersIn(list client.ObjectList) handler.MapFunc {
	return s.find(list, func(namespace client.Object) client.ListOption { return client.InNamespace(namespace.GetName()) })
}

// find finds the objects of a kind that something else concerns.
func (s *setup) find(list client.ObjectList, concerned func(client.Object) client.ListOption) handler.MapFunc {
	return func(ctx context.Context, changed client.Object) []reconcile.Request {
		found := list.DeepCopyObject().(client.ObjectList)
		if err := s.mgr.GetClient().List(ctx, found, concerned(changed), client.UnsafeDisableDeepCopy); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "cannot find the objects that a change concerns", "changed", client.ObjectKeyFromObject(changed))
			return nil
		}
		var requests []reconcile.Request
		_ = meta.EachListItem(found, func(item runtime.Object) error { // the function never fails
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
			return nil
		})
		return requests
	}
}

// usersPause is after how long an environment looks at the objects that have come, gone or changed by then. One look goes
// through all of them, so that it must not be made for each.
const usersPause = 10 * time.Second

// wakeEnvironment has the environment of this kind looked at that an object refers to: at once if it waits for its last
// object to go, or else together with what happens to other objects.
func (s *setup) wakeEnvironment(kind v1alpha1.EnvironmentKind) handler.EventHandler {
	wake := func(ctx context.Context, obj client.Object, queue requests) {
		key := object.EnvironmentOf(obj.(object.Object))
		request := reconcile.Request{NamespacedName: key.NamespacedName}
		switch {
		case key.Kind != kind:
		case s.Environments.IsGoing(ctx, key):
			queue.Add(request)
		default:
			queue.AddAfter(request, usersPause)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, queue requests) { wake(ctx, e.Object, queue) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue requests) { wake(ctx, e.ObjectNew, queue) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue requests) { wake(ctx, e.Object, queue) },
	}
}

type requests = workqueue.TypedRateLimitingInterface[reconcile.Request]

// watchDependents has an account looked at when one of its objects goes: it may
// have been the last that the account had to wait for.
func (s *setup) watchDependents(b *builder.Builder, _ client.ObjectList) {
	var lists []client.ObjectList
	for _, dependent := range object.Dependents {
		b.Watches(dependent.Object, handler.EnqueueRequestsFromMapFunc(s.accountsOf), builder.WithPredicates(deletionStarted))
		lists = append(lists, dependent.List)
	}
	s.watchLabels(b, s.eachIn(s.accountsOf, lists...))
}

// accountsOf finds the LinkedAccounts whose account an object belongs to: the one that it
// refers to, and all that stand for the same.
func (s *setup) accountsOf(ctx context.Context, obj client.Object) []reconcile.Request {
	var requests []reconcile.Request
	if ref := obj.(object.Object).Account().LinkedAccountRef; ref != nil {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: obj.GetNamespace(), Name: ref.Name}})
	}
	linked, err := account.Named(ctx, s.mgr.GetClient(), s.Environments.AccountOf(ctx, obj.(object.Object)))
	if err != nil {
		return nil // only a cache that is stopping fails
	}
	for i := range linked {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&linked[i])})
	}
	return requests
}

// dependentsOf finds the objects of a kind that refer to a LinkedAccount, or name
// the account that it stands for.
func (s *setup) dependentsOf(list client.ObjectList) handler.MapFunc {
	byName := s.find(list, func(account client.Object) client.ListOption {
		return client.MatchingFields{object.AccountIndex: object.ByName(account.GetNamespace(), account.GetName())}
	})
	byID := s.find(list, func(account client.Object) client.ListOption {
		return client.MatchingFields{object.AccountIndex: object.ByID(account.(*v1alpha1.LinkedAccount).AccountID())}
	})
	return func(ctx context.Context, account client.Object) []reconcile.Request {
		return append(byName(ctx, account), byID(ctx, account)...)
	}
}

// existing keeps out objects that are new: their first run wakes whom it concerns.
var existing = predicate.Funcs{CreateFunc: func(event.CreateEvent) bool { return false }}

// created keeps out what was there when the operator started: all objects are
// looked at then, and see it.
var created = predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}

// accountChanged lets through what an object that belongs to an account waits for.
var accountChanged = predicate.Funcs{
	CreateFunc: created.CreateFunc,
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.LinkedAccount), e.ObjectNew.(*v1alpha1.LinkedAccount)
		return before.Status.ID != after.Status.ID || before.UID != after.UID ||
			account.Unheard(before) != account.Unheard(after) || object.Vanished(before) && !object.Vanished(after)
	},
}

// deletionStarted lets through that an object goes, or that its account need not wait for it any more.
var deletionStarted = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return ends(e.ObjectOld.(object.Object), e.ObjectNew.(object.Object), object.Dependent)
	},
}
