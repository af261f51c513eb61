package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// steer sends a request to the simulator's own endpoints.
func (w *world) steer(method, path, body string) result {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/_simulator/"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return result{status: answer.StatusCode, body: string(text)}
}

func TestControlOverHTTP(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for _, tc := range []struct {
		reason, method, path, body string
		status                     int
		contains                   string
	}{
		{"a fault is injected", "POST", "faults", `{"operation":"getLinkedAccount","status":503,"times":2,"delay":"1ms","retry_after":"3"}`, 204, ""},
		{"for one account", "POST", "faults", `{"linked_account_id":"acme","status":503}`, 204, ""},
		{"a key is added", "POST", "keys", `{"key":"late","environment":"staging"}`, 204, ""},
		{"environments are told apart", "GET", "state?environment=staging", "", 200, `"accounts":[]`},
		{"one has to be named if there are more", "GET", "state", "", 400, "staging"},
		{"it has to exist", "GET", "state?environment=x", "", 400, `\"x\"`},
		{"nothing was called yet", "GET", "calls", "", 200, "{}"},
		{"or logged", "GET", "log", "", 200, "[]"},
		{"a typing error is found", "POST", "faults", `{"operation":"getLinkedAccount","statuss":503}`, 400, "statuss"},
		{"a useless fault, too", "POST", "faults", `{"operation":"getLinkedAccount"}`, 400, "does nothing"},
		{"a delay is a duration", "POST", "faults", `{"delay":"soon"}`, 400, "delay"},
		{"a key needs an environment", "POST", "keys", `{"key":"x"}`, 400, "environment"},
		{"a revocation is an object", "DELETE", "keys", "", 400, "body"},
		{"an application is disabled", "DELETE", "applications", `{"slug":"slack"}`, 204, ""},
		{"an application is enabled", "POST", "applications", `{"slug":"slack"}`, 204, ""},
		{"it has to exist", "DELETE", "applications", `{"slug":"fax"}`, 400, `\"fax\"`},
		{"for that as well", "POST", "applications", `{"slug":"fax"}`, 400, `\"fax\"`},
		{"and to be named", "DELETE", "applications", "", 400, "body"},
	} {
		got := w.steer(tc.method, tc.path, tc.body)
		if got.status != tc.status || !strings.Contains(got.body, tc.contains) {
			t.Errorf("%s: got %d %s, want %d with %q", tc.reason, got.status, got.body, tc.status, tc.contains)
		}
	}
}

func TestControlHasEffect(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	get := func(key string) int {
		return w.send(call{method: "GET", path: "/public/linked-account", header: map[string]string{"x-api-key": key}}).status
	}
	w.steer("POST", "faults", `{"status":503}`)
	if got := get(testKey); got != 503 {
		t.Errorf("with the fault: got %d, want 503", got)
	}
	w.steer("DELETE", "faults", "")
	if got := get(testKey); got != 200 {
		t.Errorf("without the fault: got %d, want 200", got)
	}
	w.steer("POST", "keys", `{"key":"late","environment":"test"}`)
	if got := get("late"); got != 200 {
		t.Errorf("with the key: got %d, want 200", got)
	}
	w.steer("DELETE", "keys", `{"key":"late"}`)
	if got := get("late"); got != 401 {
		t.Errorf("without the key: got %d, want 401", got)
	}
	w.steer("DELETE", "applications", `{"slug":"slack"}`)
	if diff := cmp.Diff([]string{"hubspot", "salesforce"}, w.listed()); diff != "" {
		t.Errorf("without the application (-want +got):\n%s", diff)
	}
	w.steer("POST", "applications", `{"slug":"slack"}`)
	if diff := cmp.Diff([]string{"hubspot", "slack", "salesforce"}, w.listed()); diff != "" {
		t.Errorf("with the application (-want +got):\n%s", diff)
	}
	if got := w.steer("GET", "calls", "").body; got != `{"listApplications":2,"listLinkedAccounts":4}` {
		t.Errorf("calls: got %s", got)
	}
	w.steer("DELETE", "calls", "")
	if got := w.steer("GET", "calls", "").body; got != `{}` {
		t.Errorf("calls after a reset: got %s", got)
	}
}

func TestSeedsAreReadStrictly(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"empty is fine":         {"{}", ""},
		"a whole one":           {"applications: [{slug: a, fields: [{id: f, value: {b: 1}}], workflows: [w]}]\nevents: [{slug: e, name: E, workflow: w}]\ndatastores: [{slug: d, application: a, records: [{x: 1}]}]", ""},
		"not YAML":              {"\t", "parsing"},
		"unknown key":           {"aplications: []", "aplications"},
		"no slug":               {"applications: [{name: A}]", "empty"},
		"same application":      {"applications: [{slug: a}, {slug: a}]", "twice"},
		"same field":            {"applications: [{slug: a, fields: [{id: f}, {id: f}]}]", "twice"},
		"same workflow":         {"applications: [{slug: a, workflows: [w, w]}]", "twice"},
		"same event":            {"events: [{slug: e, name: E, workflow: w}, {slug: e, name: E, workflow: v}]", "twice"},
		"event no workflow":     {"events: [{slug: e, name: E}]", "no workflow"},
		"datastore of no app":   {"datastores: [{slug: d, application: a}]", "does not exist"},
		"datastore of no thing": {"datastores: [{slug: d}]", "empty"},
	} {
		_, err := simulator.LoadSeed(strings.NewReader(tc.text))
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want an error with %q", name, err, tc.want)
		}
	}
}
