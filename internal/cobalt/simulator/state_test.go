package simulator_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

func TestWritesMergeOrReplace(t *testing.T) {
	type outcome struct {
		YourApp map[string]any
		Fields  map[string]any
		Flows   []simulator.WorkflowSwitch
		Events  []string
	}
	cases := map[string]struct {
		reason  string
		replace bool
		want    outcome
	}{
		"merge": {
			reason: "what is not sent stays, and null removes",
			want: outcome{
				YourApp: map[string]any{"tier": "gold", "region": "eu"},
				Fields:  map[string]any{"sync_interval_minutes": 15.0, "owner_email": "jo@example.com"},
				Flows:   []simulator.WorkflowSwitch{{ID: "sync-deals", Enabled: false}, {ID: "sync-contacts", Enabled: true}},
				Events:  []string{"Connection Created", "Workflow Errored"},
			},
		},
		"replace": {
			reason:  "only what is sent is there, and null is nothing",
			replace: true,
			want: outcome{
				YourApp: map[string]any{"region": "eu"},
				Fields:  map[string]any{"owner_email": "jo@example.com"},
				Flows:   []simulator.WorkflowSwitch{{ID: "sync-contacts", Enabled: true}},
				Events:  []string{"Workflow Errored"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{Replace: tc.replace})
			w.populate()
			for _, c := range []call{
				{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"acme","your_app":{"region":"eu","seats":null}}`},
				{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"acme"}`}, // nothing sent, nothing changed
				{method: "PUT", path: "/public/config/acme", account: "acme", body: `{"fields":{"owner_email":"jo@example.com","deal_stage":null}}`},
				{method: "PUT", path: "/public/config/acme", account: "acme", body: `{"workflows":[{"id":"sync-contacts","enabled":true}]}`},
				{method: "PUT", path: "/public/config/acme", account: "acme", body: `{"workflows":[{"id":"sync-contacts"}]}`}, // stays on
				{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com/a","webhook_events":["Connection Created"]}`},
				{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com/b","webhook_events":["Workflow Errored"]}`},
			} {
				w.must(c)
			}
			state := w.State("test")
			got := outcome{YourApp: state.Accounts[0].YourApp, Fields: state.Configs[0].Fields, Flows: state.Configs[0].Workflows, Events: state.Webhooks[0].WebhookEvents}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if state.Accounts[0].Name != "Acme" || state.Webhooks[0].WebhookURL != "https://example.com/b" {
				t.Errorf("got name %q and URL %q", state.Accounts[0].Name, state.Webhooks[0].WebhookURL)
			}
		})
	}
}

func TestConfigIDsDoNotCollide(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate() // hubspot has taken the default id
	for _, tc := range []struct{ reason, body, want string }{
		{"the same application gets its config again", `{"slug":"hubspot"}`, "acme"},
		{"the next one gets its slug appended", `{"slug":"slack"}`, "acme-slack"},
		{"and that one again", `{"slug":"slack"}`, "acme-slack"},
		{"an id may be chosen", `{"slug":"slack","config_id":"second"}`, "second"},
	} {
		got := w.must(call{method: "POST", path: "/public/config", account: "acme", body: tc.body}).object(t)
		if got["config_id"] != tc.want {
			t.Errorf("%s: got %v, want %s", tc.reason, got["config_id"], tc.want)
		}
	}
	w.must(call{method: "DELETE", path: "/public/config/acme", account: "acme"})
	if got := w.must(call{method: "POST", path: "/public/config", account: "acme", body: `{"slug":"slack"}`}).object(t); got["config_id"] != "acme-slack" {
		t.Errorf("slack got %v after the default id was freed, want the config it has", got["config_id"])
	}
}

func TestFieldsAreWrittenOneByOne(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	for _, field := range []string{"deal_stage", "owner_email"} {
		w.must(call{method: "PUT", path: "/public/config/acme/field/" + field, account: "acme", body: `{"value":"new"}`})
	}
	want := map[string]any{"deal_stage": "new", "owner_email": "new", "sync_interval_minutes": 15.0}
	if diff := cmp.Diff(want, w.State("test").Configs[0].Fields); diff != "" {
		t.Errorf("after writing (-want +got):\n%s", diff)
	}
	for _, field := range []string{"deal_stage", "owner_email"} {
		w.must(call{method: "DELETE", path: "/public/config/acme/field/" + field, account: "acme"})
	}
	want = map[string]any{"deal_stage": "appointmentscheduled", "sync_interval_minutes": 15.0}
	if diff := cmp.Diff(want, w.State("test").Configs[0].Fields); diff != "" {
		t.Errorf("after clearing (-want +got):\n%s", diff)
	}
}

func TestUnsubscribingTheLastEventRemovesTheWebhook(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	w.must(call{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":["a","b"]}`})
	unsubscribe := func(body string) {
		t.Helper()
		w.must(call{method: "POST", path: "/public/webhook/unsubscribe", account: "acme", body: body})
	}
	unsubscribe("")
	unsubscribe(`{"webhook_events":["a","c"]}`)
	if diff := cmp.Diff([]string{"b"}, w.State("test").Webhooks[0].WebhookEvents); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	unsubscribe(`{"webhook_events":["b"]}`)
	if got := w.send(call{method: "GET", path: "/public/webhook", account: "acme"}); got.status != 404 {
		t.Errorf("got %d %s, want 404", got.status, got.body)
	}
	unsubscribe(`{"webhook_events":["b"]}`)
}

func TestUnsubscribingRemovesExactlyTheEventsNamed(t *testing.T) {
	const subscribed = `["Workflow Completed","workflow completed","Workflow","Connection Deleted"]`
	cases := map[string]struct {
		reason, body string
		want         []string
	}{
		"no body":   {"nothing is named", ``, []string{"Workflow Completed", "workflow completed", "Workflow", "Connection Deleted"}},
		"empty":     {"nothing is named", `{"webhook_events":[]}`, []string{"Workflow Completed", "workflow completed", "Workflow", "Connection Deleted"}},
		"one":       {"names are whole and exact", `{"webhook_events":["Workflow"]}`, []string{"Workflow Completed", "workflow completed", "Connection Deleted"}},
		"other one": {"case counts", `{"webhook_events":["Workflow Completed"]}`, []string{"workflow completed", "Workflow", "Connection Deleted"}},
		"several":   {"in any order, some not subscribed to", `{"webhook_events":["Connection Deleted","x","Workflow Completed"]}`, []string{"workflow completed", "Workflow"}},
		"prefix":    {"a part of a name is another name", `{"webhook_events":["Connection"]}`, []string{"Workflow Completed", "workflow completed", "Workflow", "Connection Deleted"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w *world) {
				w.must(call{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":` + subscribed + `}`})
				w.must(call{method: "POST", path: "/public/webhook/unsubscribe", account: "acme", body: tc.body})
				got := w.State("test").Webhooks[0]
				if diff := cmp.Diff(tc.want, got.WebhookEvents); diff != "" || got.WebhookURL != "https://example.com" {
					t.Errorf("%s: URL %q, events (-want +got):\n%s", tc.reason, got.WebhookURL, diff)
				}
			})
		})
	}
}

func TestWebhooksOfAccountsAreApart(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		w.must(call{method: "POST", path: "/public/linked-account", body: `{"linked_account_id":"globex"}`})
		for _, account := range []string{"acme", "globex"} {
			w.must(call{method: "POST", path: "/public/webhook", account: account, body: `{"webhook_url":"https://example.com/` + account + `","webhook_events":["a","b"]}`})
		}
		before := w.State("test").Webhooks[1]
		w.must(call{method: "POST", path: "/public/webhook/unsubscribe", account: "acme", body: `{"webhook_events":["a","b"]}`})
		w.must(call{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com/new","webhook_events":["c"]}`})
		if diff := cmp.Diff(before, w.State("test").Webhooks[1]); diff != "" {
			t.Errorf("that of globex (-before +after):\n%s", diff)
		}
		if got := w.State("test").Webhooks[0]; len(got.WebhookEvents) != 1 {
			t.Errorf("got %+v, want a subscription of its own after the last event was gone", got)
		}
	})
}

func TestMigratedCredentialsConnectTheApplication(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	w.must(call{method: "POST", path: "/public/linked-account/acme/migrate-token", body: `{"slug":"slack","token":{"b":1,"a":"x"}}`})
	got := w.must(call{method: "GET", path: "/public/application/slack", account: "acme"}).object(t)
	if got["connected"] != true {
		t.Errorf("got %v, want connected", got)
	}
	credential := w.State("test").Credentials[0]
	if diff := cmp.Diff(map[string]any{"a": "x", "b": 1.0}, credential.Token); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	dump, err := json.Marshal(credential)
	if err != nil || strings.Contains(string(dump), `"x"`) || len(credential.TokenSHA256) != 64 {
		t.Errorf("got %s, %v, want a hash and no token", dump, err)
	}
}

func TestDeletingAnAccountTakesEverythingAlong(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	empty := w.State("test")
	w.populate()
	token := w.token()
	for _, c := range []call{
		{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":["a"]}`},
		{method: "POST", path: "/public/workflow", header: withToken(token), body: `{"name":"x","nodes":[{}]}`},
		{method: "POST", path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","payload":{"a":[{"b":1}]}}`},
		{method: "POST", path: "/public/linked-account/acme/migrate-token", body: `{"slug":"slack","token":{}}`},
	} {
		w.must(c)
	}
	full := w.State("test")
	if len(full.Accounts) != 1 || len(full.Credentials) != 1 || len(full.Configs) != 1 || len(full.Webhooks) != 1 ||
		len(full.Workflows) != 1 || len(full.Executions) != 1 || len(full.Events) != 1 || len(full.SessionTokens) != 1 {
		t.Errorf("got %+v, want one of each", full)
	}
	w.must(call{method: "DELETE", path: "/public/linked-account/acme"})
	if diff := cmp.Diff(empty, w.State("test")); diff != "" {
		t.Errorf("left behind (-empty +got):\n%s", diff)
	}
	w.populate()
	if got := w.send(call{method: "POST", path: "/public/workflow", header: withToken(token), body: `{"name":"x","nodes":[]}`}); got.status != 401 {
		t.Errorf("the token of the deleted account: got %d, want 401", got.status)
	}
}

func TestStateIsACopy(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	w.must(call{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"acme","your_app":{"deep":{"list":[{"a":1}]}}}`})
	before := w.State("test")
	spoiled := w.State("test")
	spoiled.Accounts[0].YourApp["deep"].(map[string]any)["list"].([]any)[0].(map[string]any)["a"] = 2
	spoiled.Configs[0].Fields["deal_stage"] = "spoiled"
	spoiled.Configs[0].Workflows[0].Enabled = true
	if diff := cmp.Diff(before, w.State("test"), unexported); diff != "" {
		t.Errorf("a change to the copy went through (-want +got):\n%s", diff)
	}
}

func TestEnvironmentsShareNothing(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	production := map[string]string{"x-api-key": productionKey}
	if got := w.send(call{method: "GET", path: "/public/linked-account", header: production}); got.body != "[]" {
		t.Errorf("production sees %s, want nothing", got.body)
	}
	if got := w.send(call{method: "GET", path: "/public/linked-account/acme", header: production}); got.status != 404 {
		t.Errorf("production reads the account of test: %d", got.status)
	}
	if got := w.send(call{method: "GET", path: "/public/linked-account/acme", header: map[string]string{"x-api-key": rotatedKey}}); got.status != 200 {
		t.Errorf("the other key of test: got %d, want 200", got.status)
	}
	w.send(call{method: "POST", path: "/public/linked-account/upsert", header: production, body: `{"linked_account_id":"acme","name":"Other"}`})
	if test, other := w.State("test").Accounts[0], w.State("production").Accounts[0]; test.Name != "Acme" || other.Name != "Other" || test.ID == other.ID {
		t.Errorf("got %+v and %+v, want two accounts", test, other)
	}
}

func TestKeysComeAndGo(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	get := func(key string) int {
		return w.send(call{method: "GET", path: "/public/linked-account/acme", header: map[string]string{"x-api-key": key}}).status
	}
	w.AddKey("new", "test")
	w.RevokeKey(testKey)
	if got := get(testKey); got != 401 {
		t.Errorf("revoked key: got %d, want 401", got)
	}
	if got := get("new"); got != 200 {
		t.Errorf("new key: got %d, want 200 and the same account", got)
	}
}

func TestExecutionsTakeTheirTime(t *testing.T) {
	w := newWorld(t, simulator.Options{Pending: time.Second, Running: 2 * time.Second})
	w.populate()
	start := func(payload string) string {
		got := w.must(call{method: "POST", path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","payload":` + payload + `}`})
		return got.object(t)["execution_id"].(string)
	}
	good, bad := start(`{}`), start(`{"simulate":"fail"}`)
	started := w.must(call{method: "POST", path: "/public/workflow/sync-deals/execute", account: "acme"}).object(t)
	if started["status"] != "pending" {
		t.Errorf("executing answers %v, want pending", started)
	}
	type seen struct {
		Good, Bad any
		Logs      int
		Completed bool
	}
	for _, want := range []seen{
		{Good: "pending", Bad: "pending", Logs: 1, Completed: false},
		{Good: "running", Bad: "running", Logs: 2, Completed: false},
		{Good: "running", Bad: "running", Logs: 2, Completed: false},
		{Good: "completed", Bad: "failed", Logs: 3, Completed: true},
	} {
		a := w.must(call{method: "GET", path: "/public/execution/" + good, account: "acme"}).object(t)
		b := w.must(call{method: "GET", path: "/public/execution/" + bad, account: "acme"}).object(t)
		_, completed := a["completed_at"]
		if diff := cmp.Diff(want, seen{Good: a["status"], Bad: b["status"], Logs: len(a["logs"].([]any)), Completed: completed}); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", w.Now(), diff)
		}
		w.Advance(time.Second)
	}
}

func TestSessionTokensExpire(t *testing.T) {
	w := newWorld(t, simulator.Options{TokenTTL: time.Hour})
	w.populate()
	token := w.token()
	if other := w.token(); other == token {
		t.Error("two tokens minted at once are the same")
	}
	create := func() int {
		return w.send(call{method: "POST", path: "/public/workflow", header: withToken(token), body: `{"name":"x","nodes":[]}`}).status
	}
	w.Advance(time.Hour - time.Nanosecond)
	if got := create(); got != 200 {
		t.Errorf("before it expires: got %d, want 200", got)
	}
	w.Advance(time.Nanosecond)
	if got := create(); got != 401 {
		t.Errorf("when it expires: got %d, want 401", got)
	}
}

func TestSessionTokensAreJSONWebTokens(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	parts := strings.Split(w.token(), ".")
	if len(parts) != 3 {
		t.Fatalf("got %d parts, want 3", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := parsed(t, string(text)).(map[string]any)
	delete(claims, "jti")
	now := float64(w.Now().Unix())
	want := map[string]any{"linked_account_id": "acme", "environment": "test", "iat": now, "exp": now + 24*60*60}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}
