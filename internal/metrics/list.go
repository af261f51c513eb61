// Package metrics has the operator's metrics: one list, of which docs/metrics.md
// and the dashboard are made and to which the alert rules are held.
package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Metric is what there is to know of one metric.
type Metric struct {
	Name, Type, Help string
	Labels           []string
}

// all are the metrics of this package, in the order of their declaration.
var all []Metric

// All returns the operator's own metrics.
func All() []Metric { return slices.Clone(all) }

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	all = append(all, Metric{name, "counter", help, labels})
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	metrics.Registry.MustRegister(vec)
	return vec
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	all = append(all, Metric{name, "histogram", help, labels})
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	metrics.Registry.MustRegister(vec)
	return vec
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	all = append(all, Metric{name, "gauge", help, labels})
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	metrics.Registry.MustRegister(vec)
	return vec
}

// computed describes a gauge that is made anew for each scrape, by whoever
// knows its value then.
func computed(name, help string, labels ...string) *prometheus.Desc {
	all = append(all, Metric{name, "gauge", help, labels})
	return prometheus.NewDesc(name, help, labels, nil)
}
