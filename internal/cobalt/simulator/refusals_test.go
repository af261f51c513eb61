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
		"no key":        {reason: "calls need a key", call: call{method: get, path: account, header: map[string]string{"x-api-key": ""}}, status: 401, code: "AUTH_SERVICE_ERROR", message: "x-api-key"},
		"unknown key":   {reason: "calls need a key that is known", call: call{method: get, path: account, header: map[string]string{"x-api-key": "guess"}}, status: 401, code: "AUTH_SERVICE_ERROR", message: "unknown"},
		"key for token": {reason: "workflows are created with a session token", call: call{method: post, path: "/public/workflow", body: `{"name":"x","nodes":[]}`}, status: 401, code: "INVALID_TOKEN", message: "Authorization"},
		"unknown token": {reason: "a made-up token opens nothing", call: call{method: post, path: "/public/workflow", header: withToken("Bearer x.y.z"), body: `{"name":"x","nodes":[]}`}, status: 401, code: "INVALID_TOKEN", message: "unknown"},
		"token for key": {reason: "a session token does not stand for a key", call: call{method: get, path: account, header: withToken("x.y.z")}, status: 401, code: "AUTH_SERVICE_ERROR", message: "x-api-key"},

		"no account":        {reason: "an account has to be named", call: call{method: get, path: config + "/all"}, status: 400, code: "MISSING_LINKED_ACCOUNT_ID", message: "linked_account_id"},
		"unknown account":   {reason: "it has to exist", call: call{method: get, path: config + "/all", account: "nobody"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"nobody"`},
		"unknown optional":  {reason: "also where it is optional", call: call{method: get, path: "/public/application", account: "nobody"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"nobody"`},
		"token for nobody":  {reason: "tokens are for accounts that exist", call: call{method: post, path: "/public/session-token", body: `{"linked_account_id":"nobody"}`}, status: 400, code: "INVALID_LINKED_ACCOUNT_ID", message: `"nobody"`},
		"portal for nobody": {reason: "so are portals", call: call{method: post, path: "/public/cobalt-hosted", body: `{"linked_account_id":"nobody"}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"nobody"`},
		"get nobody":        {reason: "reading what is not there", call: call{method: get, path: account + "/nobody"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"nobody"`},
		"delete nobody":     {reason: "deleting what is not there", call: call{method: del, path: account + "/nobody"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"nobody"`},
		"migrate nobody":    {reason: "migrating to what is not there", call: call{method: post, path: account + "/nobody/migrate-token", body: `{"slug":"hubspot","token":{}}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"nobody"`},
		"duplicate":         {reason: "an account is created once", call: call{method: post, path: account, body: `{"linked_account_id":"acme"}`}, status: 400, code: "INVALID_LINKED_ACCOUNT_ID", message: "already exists"},

		"no body":           {reason: "a required body has to be there", call: call{method: post, path: account}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "body"},
		"not JSON":          {reason: "it has to be JSON", call: call{method: post, path: account, body: `{"linked_account_id"`}, status: 400, code: "VALIDATION_ERROR", message: "not JSON"},
		"two documents":     {reason: "one document of it", call: call{method: post, path: account, body: `{"linked_account_id":"x"}{}`}, status: 400, code: "VALIDATION_ERROR", message: "not JSON"},
		"form":              {reason: "and say that it is", call: call{method: post, path: account, body: `{"linked_account_id":"x"}`, header: map[string]string{"Content-Type": "text/plain"}}, status: 400, code: "VALIDATION_ERROR", message: "Content-Type"},
		"not an object":     {reason: "an object", call: call{method: post, path: account, body: `[]`}, status: 400, code: "VALIDATION_ERROR", message: "the body must be of type object, not array"},
		"missing property":  {reason: "with what the contract requires", call: call{method: post, path: account, body: `{"name":"x"}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "linked_account_id is missing"},
		"other case":        {reason: "spelled as it says", call: call{method: post, path: account, body: `{"Linked_Account_ID":"x"}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "linked_account_id is missing"},
		"empty id":          {reason: "not left empty", call: call{method: post, path: account, body: `{"linked_account_id":""}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "linked_account_id"},
		"upsert empty id":   {reason: "in an upsert, too", call: call{method: post, path: account + "/upsert", body: `{"linked_account_id":""}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "linked_account_id"},
		"wrong type":        {reason: "of the type it says", call: call{method: post, path: account, body: `{"linked_account_id":7}`}, status: 400, code: "VALIDATION_ERROR", message: "linked_account_id must be of type string, not number"},
		"null":              {reason: "null is of none", call: call{method: post, path: account, body: `{"linked_account_id":"x","your_app":null}`}, status: 400, code: "VALIDATION_ERROR", message: "your_app must be of type object, not null"},
		"nested wrong type": {reason: "also deep inside", call: call{method: put, path: config + "/acme", account: "acme", body: `{"workflows":[{"id":"sync-deals","enabled":"yes"}]}`}, status: 400, code: "VALIDATION_ERROR", message: "workflows[0].enabled must be of type boolean, not string"},
		"too large":         {reason: "a body is bounded", call: call{method: post, path: account, body: `{"linked_account_id":"` + strings.Repeat("x", 1<<20) + `"}`}, status: 413, code: "VALIDATION_ERROR", message: "larger"},

		"migrate without slug":  {reason: "there is nothing to migrate without a slug", call: call{method: post, path: account + "/acme/migrate-token", body: `{"token":{}}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "slug"},
		"migrate without token": {reason: "or without a token", call: call{method: post, path: account + "/acme/migrate-token", body: `{"slug":"hubspot"}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "token"},
		"migrate unknown":       {reason: "or for no application", call: call{method: post, path: account + "/acme/migrate-token", body: `{"slug":"fax","token":{}}`}, status: 400, code: "INVALID_APP_ID", message: `"fax"`},
		"unknown application":   {reason: "an application has to exist", call: call{method: get, path: "/public/application/fax"}, status: 404, code: "INVALID_APP_ID", message: `"fax"`},
		"config of unknown":     {reason: "to have a config, too", call: call{method: post, path: config, account: "acme", body: `{"slug":"fax"}`}, status: 404, code: "INVALID_APP_ID", message: `"fax"`},
		"config of another":     {reason: "an id is used by one application", call: call{method: post, path: config, account: "acme", body: `{"slug":"slack","config_id":"acme"}`}, status: 400, code: "VALIDATION_ERROR", message: `"hubspot"`},

		"get no config":       {reason: "reading a config that is not there", call: call{method: get, path: config + "/x", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"update no config":    {reason: "updating it", call: call{method: put, path: config + "/x", account: "acme", body: `{}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"delete no config":    {reason: "deleting it", call: call{method: del, path: config + "/x", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"fields of no config": {reason: "its fields", call: call{method: get, path: config + "/x/fields", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"field of no config":  {reason: "one of them", call: call{method: get, path: config + "/x/field/deal_stage", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"rules of no config":  {reason: "its rules", call: call{method: get, path: config + "/x/rule-engine/options", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"get no field":        {reason: "reading a field that is not there", call: call{method: get, path: config + "/acme/field/x", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `field "x"`},
		"update no field":     {reason: "writing it", call: call{method: put, path: config + "/acme/field/x", account: "acme", body: `{"value":"v"}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `field "x"`},
		"delete no field":     {reason: "clearing it", call: call{method: del, path: config + "/acme/field/x", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `field "x"`},
		"update no value":     {reason: "writing nothing", call: call{method: put, path: config + "/acme/field/deal_stage", account: "acme", body: `{}`}, status: 400, code: "MISSING_REQUIRED_FIELD", message: "value"},
		"update to a number":  {reason: "a single value is text", call: call{method: put, path: config + "/acme/field/deal_stage", account: "acme", body: `{"value":5}`}, status: 400, code: "VALIDATION_ERROR", message: "value must be of type string"},
		"unknown workflow":    {reason: "switching a workflow that is not there, beside a good value", call: call{method: put, path: config + "/acme", account: "acme", body: `{"fields":{"deal_stage":"v"},"workflows":[{"id":"x","enabled":true}]}`}, status: 400, code: "INVALID_WORKFLOW_ID", message: `workflow "x"`},
		"unknown field":       {reason: "a value for a field that is not there", call: call{method: put, path: config + "/acme", account: "acme", body: `{"fields":{"x":"v"}}`}, status: 400, code: "VALIDATION_ERROR", message: `field "x"`},

		"unknown event slug":    {reason: "the slug has to match", call: call{method: post, path: "/public/event/deal-lost", account: "acme", body: `{"event":"Deal Created"}`}, status: 404, code: "INVALID_EVENT", message: `"deal-lost"`},
		"unknown event name":    {reason: "and the name, exactly", call: call{method: post, path: "/public/event/deal-created", account: "acme", body: `{"event":"deal created"}`}, status: 404, code: "INVALID_EVENT", message: `"deal created"`},
		"event of no config":    {reason: "and the config, if there is one", call: call{method: post, path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","config_id":"x"}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"event without payload": {reason: "a payload is an object", call: call{method: post, path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","payload":[1]}`}, status: 400, code: "VALIDATION_ERROR", message: "payload"},

		"no webhook":         {reason: "there is none yet", call: call{method: get, path: "/public/webhook", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: "webhook"},
		"webhook no URL":     {reason: "not a URL", call: call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"hook","webhook_events":["x"]}`}, status: 400, code: "VALIDATION_ERROR", message: "webhook_url"},
		"webhook other URL":  {reason: "not one that can be called", call: call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"ftp://example.com","webhook_events":["x"]}`}, status: 400, code: "VALIDATION_ERROR", message: "webhook_url"},
		"webhook no events":  {reason: "of no use", call: call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":[]}`}, status: 400, code: "INVALID_EVENT", message: "webhook_events"},
		"webhook bad events": {reason: "not a name", call: call{method: post, path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com","webhook_events":["x",1]}`}, status: 400, code: "VALIDATION_ERROR", message: "webhook_events[1]"},

		"no execution":     {reason: "an execution that is not there", call: call{method: get, path: "/public/execution/x", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"x"`},
		"execute nothing":  {reason: "a workflow that is not there", call: call{method: post, path: "/public/workflow/x/execute", account: "acme"}, status: 404, code: "INVALID_WORKFLOW_ID", message: `"x"`},
		"no datastore":     {reason: "a datastore that is not there", call: call{method: get, path: "/public/datastore/x/records", account: "acme"}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"x"`},
		"search nothing":   {reason: "searching it", call: call{method: post, path: "/public/datastore/x/search", account: "acme", body: `{}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `"x"`},
		"search by a text": {reason: "a query is an object", call: call{method: post, path: "/public/datastore/x/search", account: "acme", body: `{"query":"won"}`}, status: 400, code: "VALIDATION_ERROR", message: "query"},
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
			found = append(found, operation{id: o.OperationID, method: strings.ToUpper(method), path: path, needsAccount: needs})
		}
	}
	slices.SortFunc(found, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return found
}
