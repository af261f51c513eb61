package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// relabelled lets through that the labels of a namespace change.
var relabelled = predicate.And[client.Object](predicate.LabelChangedPredicate{}, predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
})

// watchLabels has those looked at that objects of a namespace keep waiting, when these may
// no longer count: its labels say which ClusterEnvironments they may use.
func (s *setup) watchLabels(b *builder.Builder, kept handler.MapFunc) {
	if !s.options.Namespaced {
		b.WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(kept), builder.WithPredicates(relabelled))
	}
}

// everyOne finds all objects of a kind.
func (s *setup) everyOne(list client.ObjectList) handler.MapFunc {
	return s.find(list, func(client.Object) client.ListOption { return &client.ListOptions{} })
}

// eachIn finds what concern finds for the objects of some kinds in a namespace.
func (s *setup) eachIn(concern handler.MapFunc, lists ...client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, namespace client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for _, list := range lists {
			found := list.DeepCopyObject().(client.ObjectList)
			if err := s.mgr.GetClient().List(ctx, found, client.InNamespace(namespace.GetName()), client.UnsafeDisableDeepCopy); err != nil {
				return nil // only a cache that is stopping fails
			}
			_ = meta.EachListItem(found, func(item runtime.Object) error { // the function never fails
				requests = append(requests, concern(ctx, item.(client.Object))...)
				return nil
			})
		}
		return requests
	}
}
