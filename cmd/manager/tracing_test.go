package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTracesGoWhereTheEnvironmentSays(t *testing.T) {
	for _, variable := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		t.Run(variable, func(t *testing.T) {
			var path, body string
			collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				text, _ := io.ReadAll(r.Body)
				path, body = r.URL.Path, string(text)
			}))
			defer collector.Close()
			endpoint := collector.URL
			if strings.Contains(variable, "TRACES") { // which is the whole address
				endpoint += "/v1/traces"
			}
			t.Setenv(variable, endpoint)
			tracer, stop, err := newTracer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, span := tracer.Start(t.Context(), "reconcile LinkedAccount")
			span.End()
			stop(context.WithoutCancel(t.Context()))
			if path != "/v1/traces" || !strings.Contains(body, "reconcile LinkedAccount") || !strings.Contains(body, "cobalt-operator") {
				t.Errorf("the collector got at %q: %q", path, body)
			}
		})
	}
}

func TestWithoutAnEndpointThereAreNoSpans(t *testing.T) {
	t.Parallel()
	tracer, stop, err := newTracer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t.Context())
	if _, span := tracer.Start(t.Context(), "x"); span.IsRecording() {
		t.Error("spans are recorded for nobody")
	}
}
