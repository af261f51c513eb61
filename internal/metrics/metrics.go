package metrics

import (
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// The calls to Cobalt. Each environment has its own series.
var (
	apiRequests = counter("cobalt_api_requests_total",
		"Calls to Cobalt, by operation and how they ended: the HTTP status, `refused` or `unusable` for a good status with a bad answer, "+
			"`no_answer`, or `canceled` by the operator.",
		"environment", "operation", "status")
	apiSeconds = histogram("cobalt_api_request_duration_seconds",
		"How long calls to Cobalt took, from sending to the last byte of the answer, without the turn at the limiter.",
		[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "environment", "operation")
	deferrals = counter("cobalt_limiter_deferrals_total",
		"Times that work was put off because the limiter had no call for it: rateLimit, or the API's Retry-After.", "environment")
	deferredSeconds = counter("cobalt_limiter_deferred_seconds_total",
		"For how long work was put off by the limiter, all of it together.", "environment")
)

// The state of environments and objects, as of the scrape.
var (
	LimiterRate = computed("cobalt_limiter_rate",
		"Calls a second that the limiter lets through now. Environments that share a key share a limiter, and show the same rate.", "environment")
	LimiterLimit = computed("cobalt_limiter_rate_limit",
		"Calls a second that the limiter lets through at most: the lowest rateLimit of the environments that share the key.", "environment")
	LimiterWaiting = computed("cobalt_limiter_waiting",
		"Objects that wait for their turn at the limiter.", "environment")
	LimiterWaitingSeconds = computed("cobalt_limiter_waiting_seconds",
		"For how long the first of the objects has waited that wait for their turn at the limiter; 0 if none does.", "environment")
	WorkersWaiting = computed("cobalt_workers_waiting",
		"Objects that wait for a worker because their environment has its share of them, which is one of a kind while it is slow.", "environment")
	Slow = computed("cobalt_environment_slow",
		"1 while calls of the environment take over a second, 0 otherwise.", "environment")
	GateOpen = computed("cobalt_environment_open",
		"1 while objects may call Cobalt, 0 while the API does not answer, the key is refused, or the environment is incomplete or in doubt.",
		"environment")
	SyncIntervalStretch = computed("cobalt_sync_interval_stretch_ratio",
		"How many times as long as asked for sync intervals are, because not all looks at an environment's objects fit.", "environment")
	Objects = computed("cobalt_objects",
		"Objects by what their status says: `condition` is Ready, Reconciling, Stalled, or None before the first report; "+
			"docs/reasons.md explains each `reason`. Without those that are suspended or may not use their environment.",
		"kind", "condition", "reason")
)

// What the operator has done.
var (
	// DriftDetected counts differences that no change of spec explains.
	DriftDetected = counter("cobalt_drift_detected_total",
		"Times that Cobalt was found to differ from a spec that had not changed.", "kind")
	// ExecutionsEnded counts the runs of EventTriggers.
	ExecutionsEnded = counter("cobalt_executions_total",
		"Runs of EventTriggers that are over, by how they ended.", "phase")
	// LeftBehind counts what Cobalt cannot delete.
	LeftBehind = counter("cobalt_objects_left_behind_total",
		"Objects that were deleted and left something in Cobalt, because its API cannot delete it.", "kind")
	// SessionTokens counts the attempts to renew the token in a Secret.
	SessionTokens = counter("cobalt_session_token_renewals_total",
		"Attempts to renew the session token in a Secret: `renewed`, `kept` where Cobalt has none that lasts longer, or `failed`.", "result")
	// TimeToReady is observed once in the life of an object.
	TimeToReady = histogram("cobalt_time_to_ready_seconds",
		"Time from the creation of an object until it was Ready for the first time. Objects that a restart found unready are left out.",
		[]float64{1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400}, "kind")

	buildInfo = gauge("cobalt_build_info", "1, for the version of the operator and of Go.", "version", "goversion")
)

// Built says which version of the operator this is.
func Built(version string) { buildInfo.WithLabelValues(version, runtime.Version()).Set(1) }

// Called counts one call of an environment.
func Called(environment string, call cobalt.Call) {
	apiRequests.WithLabelValues(environment, call.Operation, Status(call)).Inc()
	apiSeconds.WithLabelValues(environment, call.Operation).Observe(call.Duration.Seconds())
}

// HeldBack counts one call of an environment that was put off.
func HeldBack(environment string, wait time.Duration) {
	deferrals.WithLabelValues(environment).Inc()
	deferredSeconds.WithLabelValues(environment).Add(wait.Seconds())
}

// Forget ends the series of an environment.
func Forget(environment string) {
	gone := prometheus.Labels{"environment": environment}
	for _, vec := range []interface{ DeletePartialMatch(prometheus.Labels) int }{apiRequests, apiSeconds, deferrals, deferredSeconds} {
		vec.DeletePartialMatch(gone)
	}
}

// Status says how a call ended, in one of few words. A status code that nobody
// knows becomes its class: it is the API's to choose, and each is a series.
func Status(call cobalt.Call) string {
	_, silent := errors.AsType[*cobalt.TransportError](call.Err)
	_, unusable := errors.AsType[*cobalt.AnswerError](call.Err)
	switch {
	case silent && !cobalt.IsFailing(call.Err):
		return "canceled"
	case silent:
		return "no_answer"
	case unusable:
		return "unusable"
	case call.Status/100 == 2 && call.Err != nil:
		return "refused"
	case http.StatusText(call.Status) == "":
		return strconv.Itoa(call.Status/100) + "xx"
	}
	return strconv.Itoa(call.Status)
}
