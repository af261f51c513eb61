package simulator_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// refusal is an answer other than 200.
type refusal struct {
	reason  string
	call    call
	status  int
	code    string
	message string // part of it
}

func (r refusal) check(t *testing.T, w *world) {
	t.Helper()
	before := w.State("test")
	got := w.send(r.call)
	if got.status != r.status {
		t.Fatalf("%s: got status %d, want %d: %s", r.reason, got.status, r.status, got.body)
	}
	body := got.object(t)
	if body["error_code"] != r.code || !strings.Contains(body["message"].(string), r.message) {
		t.Errorf("%s: got %s, want code %s and a message with %q", r.reason, got.body, r.code, r.message)
	}
	if body["status_code"] != float64(r.status) || body["request_id"] == "" || body["http_error_type"] == "" {
		t.Errorf("got %s, want the whole envelope", got.body)
	}
	if diff := cmp.Diff(before, w.State("test"), unexported); diff != "" {
		t.Errorf("%s: a refused call changed something (-before +after):\n%s", r.reason, diff)
	}
}

func TestRefusals(t *testing.T) {
	const (
		get, post, put, del = "GET", "POST", "PUT", "DELETE"
		account             = "/public/linked-account"
		config              = "/public/config"
	)
	cases := map[string]refusal{
		"no key":        {"calls need a key", call{method: get, path: account, header: map[string]string{"x-api-key": ""}}, 401, "AUTH_SERVICE_ERROR", "x-api-key"},
		"unknown key":   {"calls need a key that is known", call{method: get, path: account, header: map[string]string{"x-api-key": "guess"}}, 401, "AUTH_SERVICE_ERROR", "unknown"},
		"key for token": {"workflows are created with a session token", call{method: post, path: "/public/workflow", body: `{"name":"x","nodes":[]}`}, 401, "INVALID_TOKEN", "Authorization"},
		"unknown token": {"a made-up token opens nothing", call{method: post, path: "/public/workflow", header: withToken("Bearer x.y.z"), body: `{"name":"x","nodes":[]}`}, 401, "INVALID_TOKEN", "unknown"},
		"token for key": {"a session token does not stand for a key", call{method: get, path: account, header: withToken("x.y.z")}, 401, "AUTH_SERVICE_ERROR", "x-api-key"},

		"no account":        {"an account has to be named", call{method: get, path: config + "/all"}, 400, "MISSING_LINKED_ACCOUNT_ID", "linked_account_id"},
		"unknown account":   {"it has to exist", call{method: get, path: config + "/all", account: "nobody"}, 404, "RESOURCE_NOT_FOUND", `"nobody"`},
		"unknown optional":  {"also where it is optional", call{method: get, path: "/public/application", account: "nobody"}, 404, "RESOURCE_NOT_FOUND", `"nobody"`},
		"token for nobody":  {"tokens are for accounts that exist", call{method: post, path: "/public/session-token", body: `{"linked_account_id":"nobody"}`}, 400, "INVALID_LINKED_ACCOUNT_ID", `"nobody"`},
		"portal for nobody": {"so are portals", call{method: post, path: "/public/cobalt-hosted", body: `{"linked_account_id":"nobody"}`}, 404, "RESOURCE_NOT_FOUND", `"nobody"`},
		"get nobody":        {"reading what is not there", call{method: get, path: account + "/nobody"}, 404, "RESOURCE_NOT_FOUND", `"nobody"`},
		"delete nobody":     {"deleting what is not there", call{method: del, path: account + "/nobody"}, 404, "RESOURCE_NOT_FOUND", `"nobody"`},
		"migrate nobody":    {"migrating to what is not there", call{method: post, path: account + "/nobody/migrate-token", body: `{"slug":"hubspot","token":{}}`}, 404, "RESOURCE_NOT_FOUND", `"nobody"`},
		"duplicate":         {"an account is created once", call{method: post, path: account, body: `{"linked_account_id":"acme"}`}, 400, "INVALID_LINKED_ACCOUNT_ID", "already exists"},

		"no body":           {"a required body has to be there", call{method: post, path: account}, 400, "MISSING_REQUIRED_FIELD", "body"},
		"not JSON":          {"it has to be JSON", call{method: post, path: account, body: `{"linked_account_id"`}, 400, "VALIDATION_ERROR", "not JSON"},
		"two documents":     {"one document of it", call{method: post, path: account, body: `{"linked_account_id":"x"}{}`}, 400, "VALIDATION_ERROR", "not JSON"},
		"form":              {"and say that it is", call{method: post, path: account, body: `{"linked_account_id":"x"}`, header: map[string]string{"Content-Type": "text/plain"}}, 400, "VALIDATION_ERROR", "Content-Type"},
		"not an object":     {"an object", call{method: post, path: account, body: `[]`}, 400, "VALIDATION_ERROR", "the body must be of type object, not array"},
		"missing property":  {"with what the contract requires", call{method: post, path: account, body: `{"name":"x"}`}, 400, "MISSING_REQUIRED_FIELD", "linked_account_id is missing"},
		"other case":        {"spelled as it says", call{method: post, path: account, body: `{"Linked_Account_ID":"x"}`}, 400, "MISSING_REQUIRED_FIELD", "linked_account_id is missing"},
		"empty id":          {"not left empty", call{method: post, path: account, body: `{"linked_account_id":""}`}, 400, "MISSING_REQUIRED_FIELD", "linked_account_id"},
		"upsert empty id":   {"in an upsert, too", call{method: post, path: account + "/upsert", body: `{"linked_account_id":""}`}, 400, "MISSING_REQUIRED_FIELD", "linked_account_id"},
		"wrong type":        {"of the type it says", call{method: post, path: account, body: `{"linked_account_id":7}`}, 400, "VALIDATION_ERROR", "linked_account_id must be of type string, not number"},
		"null":              {"null is of none", call{method: post, path: account, body: `{"linked_account_id":"x","your_app":null}`}, 400, "VALIDATION_ERROR", "your_app must be of type object, not null"},
		"nested wrong type": {"also deep inside", call{method: put, path: config + "/acme", account: "acme", body: `{"workflows":[{"id":"sync-deals","enabled":"yes"}]}`}, 400, "VALIDATION_ERROR", "workflows[0].enabled must be of type boolean, not string"},
		"too large":         {"a body is bounded", call{method: post, path: account, body: `{"linked_account_id":"` + strings.Repeat("x", 1<<20) + `"}`}, 413, "VALIDATION_ERROR", "larger"},

		"migrate without slug":  {"there is nothing to migrate without a slug", call{method: post, path: account + "/acme/migrate-token", body: `{"token":{}}`}, 400, "MISSING_REQUIRED_FIELD", "slug"},
		"migrate without token": {"or without a token", call{method: post, path: account + "/acme/migrate-token", body: `{"slug":"hubspot"}`}, 400, "MISSING_REQUIRED_FIELD", "token"},
		"migrate unknown":       {"or for no application", call{method: post, path: account + "/acme/migrate-token", body: `{"slug":"fax","token":{}}`}, 400, "INVALID_APP_ID", `"fax"`},
		"unknown application":   {"an application has to exist", call{method: get, path: "/public/application/fax"}, 404, "INVALID_APP_ID", `"fax"`},
		"config of unknown":     {"to have a config, too", call{method: post, path: config, account: "acme", body: `{"slug":"fax"}`}, 404, "INVALID_APP_ID", `"fax"`},
		"config of another":     {"an id is used by one application", call{method: post, path: config, account: "acme", body: `{"slug":"slack","config_id":"acme"}`}, 400, "VALIDATION_ERROR", `"hubspot"`},

		"get no config":       {"reading a config that is not there", call{method: get, path: config + "/x", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"update no config":    {"updating it", call{method: put, path: config + "/x", account: "acme", body: `{}`}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"delete no config":    {"deleting it", call{method: del, path: config + "/x", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"fields of no config": {"its fields", call{method: get, path: config + "/x/fields", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"field of no config":  {"one of them", call{method: get, path: config + "/x/field/deal_stage", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"rules of no config":  {"its rules", call{method: get, path: config + "/x/rule-engine/options", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"get no field":        {"reading a field that is not there", call{method: get, path: config + "/acme/field/x", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `field "x"`},
		"update no field":     {"writing it", call{method: put, path: config + "/acme/field/x", account: "acme", body: `{"value":"v"}`}, 404, "RESOURCE_NOT_FOUND", `field "x"`},
		"delete no field":     {"clearing it", call{method: del, path: config + "/acme/field/x", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `field "x"`},
		"update no value":     {"writing nothing", call{method: put, path: config + "/acme/field/deal_stage", account: "acme", body: `{}`}, 400, "MISSING_REQUIRED_FIELD", "value"},
		"update to a number":  {"a single value is text", call{method: put, path: config + "/acme/field/deal_stage", account: "acme", body: `{"value":5}`}, 400, "VALIDATION_ERROR", "value must be of type string"},
		"unknown workflow":    {"switching a workflow that is not there, beside a good value", call{method: put, path: config + "/acme", account: "acme", body: `{"fields":{"deal_stage":"v"},"workflows":[{"id":"x","enabled":true}]}`}, 400, "INVALID_WORKFLOW_ID", `workflow "x"`},
		"unknown field":       {"a value for a field that is not there", call{method: put, path: config + "/acme", account: "acme", body: `{"fields":{"x":"v"}}`}, 400, "VALIDATION_ERROR", `field "x"`},

		"unknown event slug":    {"the slug has to match", call{method: post, path: "/public/event/deal-lost", account: "acme", body: `{"event":"Deal Created"}`}, 404, "INVALID_EVENT", `"deal-lost"`},
		"unknown event name":    {"and the name, exactly", call{method: post, path: "/public/event/deal-created", account: "acme", body: `{"event":"deal created"}`}, 404, "INVALID_EVENT", `"deal created"`},
		"event of no config":    {"and the config, if there is one", call{method: post, path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","config_id":"x"}`}, 404, "RESOURCE_NOT_FOUND", `config "x"`},
		"event without payload": {"a payload is an object", call{method: post, path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","payload":[1]}`}, 400, "VALIDATION_ERROR", "payload"},

		"no webhook":         {"there is none yet", call{method: get, path: "/public/webhook", account: "acme"}, 404, "RESOURCE_NOT_FOUND", "webhook"},
		"webhook no URL":     {"not a URL", call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"hook","webhook_events":["x"]}`}, 400, "VALIDATION_ERROR", "webhook_url"},
		"webhook other URL":  {"not one that can be called", call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"ftp://example.com","webhook_events":["x"]}`}, 400, "VALIDATION_ERROR", "webhook_url"},
		"webhook no events":  {"of no use", call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":[]}`}, 400, "INVALID_EVENT", "webhook_events"},
		"webhook bad events": {"not a name", call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":["x",1]}`}, 400, "VALIDATION_ERROR", "webhook_events[1]"},

		"no execution":     {"an execution that is not there", call{method: get, path: "/public/execution/x", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `"x"`},
		"execute nothing":  {"a workflow that is not there", call{method: post, path: "/public/workflow/x/execute", account: "acme"}, 404, "INVALID_WORKFLOW_ID", `"x"`},
		"no datastore":     {"a datastore that is not there", call{method: get, path: "/public/datastore/x/records", account: "acme"}, 404, "RESOURCE_NOT_FOUND", `"x"`},
		"search nothing":   {"searching it", call{method: post, path: "/public/datastore/x/search", account: "acme", body: `{}`}, 404, "RESOURCE_NOT_FOUND", `"x"`},
		"search by a text": {"a query is an object", call{method: post, path: "/public/datastore/x/search", account: "acme", body: `{"query":"won"}`}, 400, "VALIDATION_ERROR", "query"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			w.populate()
			tc.check(t, w)
		})
	}
}

func TestWorkflowsAreRefusedWithoutNameOrNodes(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	header := withToken(w.token())
	for body, message := range map[string]string{
		`{"nodes":[]}`:                      "name is missing",
		`{"name":"x"}`:                      "nodes is missing",
		`{"name":"","nodes":[]}`:            "name",
		`{"name":"x","nodes":{}}`:           "nodes must be of type array",
		`{"name":"x","nodes":["a"]}`:        "nodes[0] must be of type object",
		`{"name":"x","nodes":[{"type":1}]}`: "nodes[0].type must be of type string",
	} {
		got := w.send(call{method: "POST", path: "/public/workflow", header: header, body: body})
		if got.status != 400 || !strings.Contains(got.body, message) {
			t.Errorf("%s: got %d %s, want 400 with %q", body, got.status, got.body, message)
		}
	}
}

func TestEveryAccountCallNeedsTheHeader(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for _, o := range operations(t) {
		if !o.needsAccount {
			continue
		}
		got := w.send(call{method: o.method, path: o.path, body: `{}`})
		if got.status != 400 || got.object(t)["error_code"] != "MISSING_LINKED_ACCOUNT_ID" {
			t.Errorf("%s without linked_account_id: got %d %s", o.id, got.status, got.body)
		}
	}
}

func TestWhatIsNoOperationIsNotFound(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for _, c := range []call{
		{method: "GET", path: "/public/workflow"},
		{method: "PATCH", path: "/public/linked-account/acme"},
		{method: "GET", path: "/public/linked-account/"},
		{method: "GET", path: "/public/config//fields"},
		{method: "GET", path: "/public/linked-account/%2E%2E"},
		{method: "GET", path: ""},
	} {
		r := w.request(c)
		answer, err := w.client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != 404 || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: got %d %s, want a 404 in JSON", c.method, c.path, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
	}
	if calls := w.Calls(); len(calls) > 0 {
		t.Errorf("got calls %v, want none", calls)
	}
}

func TestEveryOperationOfTheContractIsServed(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	want := map[string]int{}
	for _, o := range operations(t) {
		want[o.id] = 1
		w.send(call{method: o.method, path: o.path, header: map[string]string{"x-api-key": ""}})
	}
	if diff := cmp.Diff(want, w.Calls()); diff != "" {
		t.Errorf("(-contract +served):\n%s", diff)
	}
}

type operation struct {
	id, method, path string
	needsAccount     bool
}

// operations are those of the contract.
func operations(t *testing.T) []operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []struct {
				Name     string `json:"name"`
				In       string `json:"in"`
				Required bool   `json:"required"`
			} `json:"parameters"`
		} `json:"paths"`
	}
	if err := yaml.Unmarshal(contract.Document, &document); err != nil {
		t.Fatal(err)
	}
	var found []operation
	for path, item := range document.Paths {
		path = strings.NewReplacer("{", "", "}", "").Replace(path)
		for method, o := range item {
			needs := false
			for _, p := range o.Parameters {
				needs = needs || (p.In == "header" && p.Name == "linked_account_id" && p.Required)
			}
			found = append(found, operation{o.OperationID, strings.ToUpper(method), path, needs})
		}
	}
	slices.SortFunc(found, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return found
}
