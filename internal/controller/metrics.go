package controller

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	driftDetected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cobalt_drift_detected_total",
		Help: "Times that Cobalt was found to differ from a spec that had not changed.",
	}, []string{"kind"})

	syncIntervalStretch = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cobalt_sync_interval_stretch_ratio",
		Help: "How many times as long as asked for sync intervals are, because not all looks at an environment's objects fit.",
	}, []string{"environment"})
)

func init() { metrics.Registry.MustRegister(driftDetected, syncIntervalStretch) }
