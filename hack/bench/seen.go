package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/hack/children"
)

// member is an object of a kind that is counted.
type member interface {
	client.Object
	MemberStatus() *v1alpha1.MemberStatus
}

// kinds are those of the mixed set, in the order in which they need each other.
var kinds = []member{
	&v1alpha1.LinkedAccount{}, &v1alpha1.IntegrationConfig{}, &v1alpha1.Webhook{}, &v1alpha1.PublicWorkflow{}, &v1alpha1.EventTrigger{},
}

// seen watches which objects are Ready, and since when.
type seen struct {
	mu    sync.Mutex
	ready map[string]map[string]time.Time // by namespace and by kind and name
	last  map[string]time.Time            // by namespace
	says  map[string]string               // of one object that is not Ready, by namespace
}

func observe(ctx context.Context, plane *children.ControlPlane) (*seen, error) {
	informers, err := cache.New(plane.Config, cache.Options{
		Scheme: plane.Client.Scheme(), DefaultTransform: cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, err
	}
	s := &seen{ready: map[string]map[string]time.Time{}, last: map[string]time.Time{}, says: map[string]string{}}
	for _, kind := range kinds {
		informer, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, err
		}
		if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { s.saw(obj.(member)) },
			UpdateFunc: func(_, obj any) { s.saw(obj.(member)) },
		}); err != nil {
			return nil, err
		}
	}
	go func() { _ = informers.Start(ctx) }() // what it misses shows as an object that is never Ready
	if !informers.WaitForCacheSync(ctx) {
		return nil, context.Cause(ctx)
	}
	return s, nil
}

func nameOf(obj client.Object) string { return fmt.Sprintf("%T/%s", obj, obj.GetName()) }

func (s *seen) saw(obj member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	namespace, name := obj.GetNamespace(), nameOf(obj)
	condition := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	if condition == nil || condition.Status != metav1.ConditionTrue {
		delete(s.ready[namespace], name)
		s.says[namespace] = name + " has no status"
		if condition != nil {
			s.says[namespace] = fmt.Sprintf("%s: %s: %s", name, condition.Reason, condition.Message)
		}
		return
	}
	if s.ready[namespace] == nil {
		s.ready[namespace] = map[string]time.Time{}
	}
	if _, already := s.ready[namespace][name]; !already {
		s.last[namespace] = time.Now()
		s.ready[namespace][name] = s.last[namespace]
	}
}

// patience is how long a set of objects may take; a benchmark that hangs helps nobody.
const patience = 20 * time.Minute

// all waits until so many objects of a namespace are Ready, and returns when the last was.
func (s *seen) all(ctx context.Context, namespace string, count int) (time.Time, error) {
	var last time.Time
	err := until(ctx, patience, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		last = s.last[namespace]
		return len(s.ready[namespace]) >= count
	})
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return last, fmt.Errorf("%d of %d objects in %s are Ready; %s: %w",
			len(s.ready[namespace]), count, namespace, s.says[namespace], err)
	}
	return last, nil
}

// one waits until an object is Ready, and returns when it was.
func (s *seen) one(ctx context.Context, obj client.Object) (time.Time, error) {
	var at time.Time
	err := until(ctx, patience, func() (ready bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		at, ready = s.ready[obj.GetNamespace()][nameOf(obj)]
		return ready
	})
	return at, err
}

// until looks again and again, more often than anybody could measure by it.
func until(ctx context.Context, patience time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not within %s", patience))
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
	return nil
}

// pass lets time pass, the measured one.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
