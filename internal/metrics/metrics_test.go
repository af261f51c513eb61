package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
)

// called returns what a client tells of a call that is answered in this way.
func called(ctx context.Context, t *testing.T, answer http.HandlerFunc) cobalt.Call {
	t.Helper()
	server := httptest.NewServer(answer)
	defer server.Close()
	var told cobalt.Call
	api, err := cobalt.New(cobalt.Options{
		BaseURL: server.URL, APIKey: "key", Timeout: time.Minute,
		Observe: func(_ context.Context, call cobalt.Call) { told = call },
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = api.GetLinkedAccount(ctx, "acme")
	return told
}

func TestStatusIsOneOfFewWords(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cases := map[string]struct {
		reason string
		ctx    context.Context
		answer http.HandlerFunc
	}{
		"200":       {"a good answer", t.Context(), answer(200, `{"linked_account_id":"acme"}`)},
		"404":       {"a refusal has its code", t.Context(), answer(404, `{}`)},
		"4xx":       {"codes that nobody knows are the API's to choose, and each would be a series", t.Context(), answer(499, `{}`)},
		"unusable":  {"a page for people is no good answer, whatever its status", t.Context(), answer(200, `<html>`)},
		"no_answer": {"the connection was closed", t.Context(), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"canceled": {"the operator gave up, which says nothing of the API", canceled, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		}},
	}
	for want, tc := range cases {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			if got := metrics.Status(called(tc.ctx, t, tc.answer)); got != want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, want)
			}
		})
	}
	refused := cobalt.Call{Status: 200, Err: &cobalt.Error{Status: 200}}
	if got := metrics.Status(refused); got != "refused" {
		t.Errorf("a failure that the API reports with status 200 is none of its successes: got %q", got)
	}
	brokenOff := cobalt.Call{Status: 200, Err: &cobalt.TransportError{}}
	if got := metrics.Status(brokenOff); got != "no_answer" {
		t.Errorf("an answer that never ends is none: got %q", got)
	}
}

func TestSeriesOfAnEnvironmentEndWithIt(t *testing.T) {
	t.Parallel()
	names := []string{
		"cobalt_api_requests_total", "cobalt_api_request_duration_seconds", "cobalt_limiter_deferrals_total", "cobalt_limiter_deferred_seconds_total",
	}
	count := func() int {
		n, err := testutil.GatherAndCount(crmetrics.Registry, names...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	call := cobalt.Call{Operation: "getLinkedAccount", Status: 200}
	for _, environment := range []string{"Environment a/default", "Environment b/default"} {
		metrics.Called(environment, call)
		metrics.Called(environment, cobalt.Call{Operation: "getLinkedAccount", Status: 502, Err: errors.New("x")})
		metrics.HeldBack(environment, time.Second)
	}
	if n := count(); n != 10 {
		t.Fatalf("%d series, want 2 of calls, 1 of their durations and 2 of the limiter per environment", n)
	}
	metrics.Forget("Environment a/default")
	if n := count(); n != 5 {
		t.Errorf("%d series are left, want those of the other environment", n)
	}
}

func TestMetricsAreNamedAsIsUsual(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(crmetrics.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if strings.HasPrefix(problem.Metric, "cobalt_") {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
	for _, metric := range metrics.All() {
		if (metric.Type == "counter") != strings.HasSuffix(metric.Name, "_total") {
			t.Errorf("%s is a %s", metric.Name, metric.Type)
		}
	}
}
