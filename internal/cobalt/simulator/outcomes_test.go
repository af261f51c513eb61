package simulator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// fire fires the event that starts sync-deals, and returns what is answered.
func (w *world) fire(payload string) result {
	w.t.Helper()
	return w.send(call{method: "POST", path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","payload":` + payload + `}`})
}

// execute executes a workflow, and returns what is answered.
func (w *world) execute(workflow string) result {
	w.t.Helper()
	return w.send(call{method: "POST", path: "/public/workflow/" + workflow + "/execute", account: "acme", body: `{"payload":{"deal":42}}`})
}

// execution is what the API says of one.
func (w *world) execution(id string) map[string]any {
	w.t.Helper()
	return w.must(call{method: "GET", path: "/public/execution/" + id, account: "acme"}).object(w.t)
}

func TestOutcomesOfExecutions(t *testing.T) {
	logs := []string{"Reading deals.", "secret-value"}
	for name, tc := range map[string]struct {
		reason  string
		outcome simulator.Outcome
		payload string
		// Seen at once, after a second, after three, and after a year.
		want []string
		logs []string
	}{
		"zero": {
			reason: "nothing said, all is well", payload: `{}`, want: []string{"pending", "running", "completed", "completed"},
			logs: []string{"The execution was queued.", "The execution started.", "The execution completed."},
		},
		"fails": {
			reason: "as asked", outcome: simulator.Outcome{Status: "failed"}, payload: `{}`, want: []string{"pending", "running", "failed", "failed"},
			logs: []string{"The execution was queued.", "The execution started.", "The execution failed."},
		},
		"runs for ever": {
			reason: "as asked", outcome: simulator.Outcome{Status: "running"}, payload: `{}`, want: []string{"pending", "running", "running", "running"},
			logs: []string{"The execution was queued.", "The execution started."},
		},
		"payload fails": {
			reason: "the payload goes first", outcome: simulator.Outcome{Status: "running"}, payload: `{"simulate":"fail"}`, want: []string{"pending", "running", "failed", "failed"},
			logs: []string{"The execution was queued.", "The execution started.", "The execution failed."},
		},
		"unknown word": {
			reason: "clients must live with one", outcome: simulator.Outcome{Status: "archived", Logs: logs}, payload: `{}`, want: []string{"pending", "running", "archived", "archived"},
			logs: []string{"The execution was queued.", "The execution started.", "Reading deals.", "secret-value", "The execution archived."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{Pending: time.Second, Running: 2 * time.Second})
			w.populate()
			w.SetOutcome("sync-deals", tc.outcome)
			id := w.fire(tc.payload).object(t)["execution_id"].(string)
			w.SetOutcome("sync-deals", simulator.Outcome{Status: "too late for what has started"})
			var got, messages []string
			for _, pause := range []time.Duration{0, time.Second, 2 * time.Second, 365 * 24 * time.Hour} {
				w.Advance(pause)
				seen := w.execution(id)
				got, messages = append(got, seen["status"].(string)), nil
				for _, entry := range seen["logs"].([]any) {
					messages = append(messages, entry.(map[string]any)["message"].(string))
				}
				if _, ended := seen["completed_at"]; ended != !slices.Contains([]string{"pending", "running"}, seen["status"].(string)) {
					t.Errorf("%v has an end: %t", seen["status"], ended)
				}
			}
			if diff := cmp.Diff(tc.want, got) + cmp.Diff(tc.logs, messages); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOnlyUnknownWordsSpoilAnswers(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	for outcome, spoiled := range map[string]bool{"": false, "failed": false, "running": false, "archived": true} {
		w.SetOutcome("sync-deals", simulator.Outcome{Status: outcome})
		id := w.fire(`{}`).object(t)["execution_id"].(string)
		got := w.send(call{method: "GET", path: "/public/execution/" + id, account: "acme"})
		if isSpoiled := got.header.Get(simulator.FaultHeader) != ""; isSpoiled != spoiled || got.status != 200 {
			t.Errorf("%q: got %d, spoiled %t, want %t", outcome, got.status, isSpoiled, spoiled)
		}
	}
}

func TestAnswersThatNameNoExecution(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	w.SetOutcome("sync-deals", simulator.Outcome{Untracked: true})
	for name, got := range map[string]result{"event": w.fire(`{}`), "workflow": w.execute("sync-deals")} {
		if _, named := got.object(t)["execution_id"]; got.status != 200 || named {
			t.Errorf("%s: got %d %s, want 200 without an id", name, got.status, got.body)
		}
	}
	if got := len(w.State("test").Executions); got != 2 {
		t.Errorf("%d executions were started, want 2", got)
	}
}

func TestWorkflowsSetTheStatusOfTheAnswer(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	w.SetOutcome("sync-deals", simulator.Outcome{AnswerStatus: 422})
	got := w.execute("sync-deals")
	if id := got.object(t)["execution_id"]; got.status != 422 || id != w.State("test").Executions[0].ID {
		t.Errorf("got %d %s, want 422 with the id", got.status, got.body)
	}
}

func TestOwnWorkflowsAreExecutedByTheirID(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	id := w.must(call{method: "POST", path: "/public/workflow", header: withToken(w.token()), body: `{"name":"Mine","nodes":[]}`}).object(t)["_id"].(string)
	w.SetOutcome(id, simulator.Outcome{Status: "failed"})
	w.execute(id)
	got := w.State("test").Executions[0]
	if diff := cmp.Diff(map[string]any{"deal": 42.0}, got.Payload); got.WorkflowID != id || got.Status != "failed" || diff != "" {
		t.Errorf("got %+v, want a failed one of %s; payload (-want +got):\n%s", got, id, diff)
	}
}

func TestExecutionsAreForgotten(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	first, second := w.fire(`{}`).object(t)["execution_id"].(string), w.fire(`{}`).object(t)["execution_id"].(string)
	w.Forget(first)
	if got := w.send(call{method: "GET", path: "/public/execution/" + first, account: "acme"}); got.status != 404 {
		t.Errorf("got %d %s, want 404", got.status, got.body)
	}
	if got := w.must(call{method: "GET", path: "/public/execution", account: "acme"}).body; strings.Contains(got, first) || !strings.Contains(got, second) {
		t.Errorf("got %s, want only the other one", got)
	}
}

func TestOthersStartExecutions(t *testing.T) {
	w := newWorld(t, simulator.Options{Running: time.Hour})
	w.populate()
	w.ResetCalls()
	id := w.Start("test", "acme", "sync-deals")
	if state := w.State("test"); len(w.Calls()) != 0 || len(state.Events) != 0 || len(state.Executions) != 1 {
		t.Errorf("got calls %v and %+v, want an execution and nothing else", w.Calls(), state)
	}
	if got := w.execution(id); got["status"] != "running" || got["workflow_id"] != "sync-deals" || got["started_at"] != w.Now().Format(time.RFC3339) {
		t.Errorf("got %v, want it running since now", got)
	}
}

func TestSessionTokensAreRevoked(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	create := func(token string) int {
		return w.send(call{method: "POST", path: "/public/workflow", header: withToken(token), body: `{"name":"x","nodes":[]}`}).status
	}
	old := w.token()
	w.RevokeSessionTokens("test", "globex")
	if got := create(old); got != 200 {
		t.Errorf("after those of another account were revoked: got %d, want 200", got)
	}
	w.RevokeSessionTokens("test", "acme")
	if got := create(old); got != 401 {
		t.Errorf("revoked: got %d, want 401", got)
	}
	if got := create(w.token()); got != 200 {
		t.Errorf("a new one: got %d, want 200", got)
	}
}

func TestSeedsSayOutcomes(t *testing.T) {
	const seed = "events: [{slug: deal-created, name: Deal Created, workflow: sync-deals}]\napplications: [{slug: hubspot}]\noutcomes: "
	for text, want := range map[string]string{
		"{sync-deals: {status: failed, logs: [a], untracked: true}}": "",
		"{sync-dials: {status: failed}}":                             "does not exist",
		"{sync-deals: {state: failed}}":                              "state",
		"{sync-deals: {status: pending}}":                            "pending",
		"{sync-deals: {answer_status: 42}}":                          "200 to 599",
	} {
		loaded, err := simulator.LoadSeed(strings.NewReader(seed + text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
		if err != nil {
			continue
		}
		w := newWorld(t, simulator.Options{Seed: loaded})
		w.populate()
		w.fire(`{}`)
		if got := w.State("test").Executions[0].Status; got != "failed" {
			t.Errorf("got %s, want failed", got)
		}
	}
}
