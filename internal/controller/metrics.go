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

	executionsEnded = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cobalt_executions_total",
		Help: "Runs of EventTriggers that are over, by how they ended.",
	}, []string{"phase"})

	leftBehind = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cobalt_objects_left_behind_total",
		Help: "Objects that were deleted and left something in Cobalt, because its API cannot delete it.",
	}, []string{"kind"})
)

func init() {
	metrics.Registry.MustRegister(driftDetected, syncIntervalStretch, executionsEnded, leftBehind)
}
