package controller

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// collector computes how environments and objects stand, whenever somebody
// scrapes: nothing has to be kept in step, and what is gone is not counted.
type collector struct {
	cache        client.Reader
	environments *environment.Pool
	kinds        []object.Kind
	// ctx ends with the operator: a scrape has no context of its own.
	ctx context.Context
}

// collect has the state of environments and objects scraped while the operator
// works. Of several replicas only the leader tells, or sums would be wrong.
func (s *setup) collect() error {
	return s.mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		c := &collector{s.mgr.GetClient(), s.Environments, s.watched(), ctx}
		if err := s.options.Metrics.Register(c); err != nil {
			return err
		}
		defer s.options.Metrics.Unregister(c)
		<-ctx.Done()
		return nil
	}))
}

// Describe names what Collect computes.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		metrics.GateOpen, metrics.LimiterRate, metrics.LimiterLimit, metrics.LimiterWaiting, metrics.LimiterWaitingSeconds,
		metrics.WorkersWaiting, metrics.Slow, metrics.SyncIntervalStretch, metrics.Objects,
	} {
		out <- desc
	}
}

// Collect computes the metrics of one scrape.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for key, conn := range c.environments.All() {
		conn.Scrape(func(desc *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, key.String())
		})
	}
	admissions := c.environments.Admissions()
	for _, kind := range c.kinds {
		for stands, count := range c.count(kind, admissions) {
			out <- prometheus.MustNewConstMetric(
				metrics.Objects, prometheus.GaugeValue, count, kind.Name, stands.condition, stands.reason)
		}
	}
}

// stands is what an object's status says in two words.
type stands struct{ condition, reason string }

// count counts the objects of a kind by how they stand. What nobody waits for, because
// it is suspended or may not use its environment, must not alarm those who run the operator.
func (c *collector) count(kind object.Kind, admissions environment.Admissions) map[stands]float64 {
	counts := map[stands]float64{}
	list := kind.List.DeepCopyObject().(client.ObjectList)
	if err := c.cache.List(c.ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is stopping fails
	}
	_ = meta.EachListItem(list, func(item runtime.Object) error { // the function never fails
		if obj, ok := item.(object.Object); ok {
			access, err := admissions.Of(c.ctx, obj, "")
			if err == nil && !object.Counts(obj, object.Shown, access) {
				return nil
			}
		}
		counts[standingOf(item)]++
		return nil
	})
	return counts
}

func standingOf(obj runtime.Object) stands {
	conditions := conditionsOf(obj)
	for _, condition := range []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling, v1alpha1.ConditionReady} {
		if present := meta.FindStatusCondition(conditions, condition); present != nil && present.Status == metav1.ConditionTrue {
			return stands{condition, present.Reason}
		}
	}
	return stands{"None", "None"}
}

func conditionsOf(obj runtime.Object) []metav1.Condition {
	switch obj := obj.(type) {
	case object.Object:
		return obj.MemberStatus().Conditions
	case object.Environment:
		return obj.EnvironmentStatus().Conditions
	}
	return nil
}
