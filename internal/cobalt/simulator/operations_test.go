package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// given are ids that only the running simulator knows; cases write them in
// capitals.
func given(w *world) *strings.Replacer {
	hook := call{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com/hook","webhook_events":["Connection Created","Workflow Errored"]}`}
	w.must(hook)
	fired := w.must(call{method: "POST", path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created"}`})
	token := w.token()
	workflow := w.must(call{method: "POST", path: "/public/workflow", header: withToken(token), body: `{"name":"Mine","nodes":[]}`})
	stores := w.must(call{method: "GET", path: "/public/datastore", account: "acme"})
	var datastores []map[string]any
	if err := json.Unmarshal([]byte(stores.body), &datastores); err != nil || len(datastores) != 1 {
		w.t.Fatalf("datastores %s: %v", stores.body, err)
	}
	return strings.NewReplacer(
		"EXECUTION", fired.object(w.t)["execution_id"].(string),
		"WORKFLOW", workflow.object(w.t)["_id"].(string),
		"DATASTORE", datastores[0]["_id"].(string),
		"CONFIG", w.State("test").Configs[0].ID,
		"TOKEN", token,
	)
}

func TestOperationsAnswer(t *testing.T) {
	cases := map[string]struct {
		reason string
		call   call
		want   string // JSON; what differs between runs is ignored; empty: an empty body
	}{
		"createSessionToken": {
			reason: "a token is minted for an account that exists",
			call:   call{method: "POST", path: "/public/session-token", body: `{"linked_account_id":"acme"}`},
			want:   `{"token":"*"}`,
		},
		"listLinkedAccounts": {
			reason: "every account is in the list",
			call:   call{method: "GET", path: "/public/linked-account"},
			want:   `[{"linked_account_id":"acme","name":"Acme","your_app":{"tier":"gold","seats":3}}]`,
		},
		"createLinkedAccount": {
			reason: "an id is enough",
			call:   call{method: "POST", path: "/public/linked-account", body: `{"linked_account_id":"globex"}`},
			want:   `{"linked_account_id":"globex","your_app":{}}`,
		},
		"getLinkedAccount": {
			reason: "the account is found by its id",
			call:   call{method: "GET", path: "/public/linked-account/acme"},
			want:   `{"linked_account_id":"acme","name":"Acme","your_app":{"tier":"gold","seats":3}}`,
		},
		"deleteLinkedAccount": {
			reason: "deleting answers nothing",
			call:   call{method: "DELETE", path: "/public/linked-account/acme"},
		},
		"upsertLinkedAccount": {
			reason: "an upsert of an account that is new creates it",
			call:   call{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"globex","name":"Globex","your_app":{"a":null,"b":{"c":[1]}}}`},
			want:   `{"linked_account_id":"globex","name":"Globex","your_app":{"b":{"c":[1]}}}`,
		},
		"migrateToken": {
			reason: "credentials are taken and not answered",
			call:   call{method: "POST", path: "/public/linked-account/acme/migrate-token", body: `{"slug":"hubspot","token":{"refresh_token":"r"}}`},
		},
		"listApplications": {
			reason: "without an account nothing is said about connections",
			call:   call{method: "GET", path: "/public/application"},
			want: `[{"slug":"hubspot","name":"HubSpot","auth_type":"oauth2"},{"slug":"slack","name":"Slack","auth_type":"oauth2"},
				{"slug":"salesforce","name":"Salesforce","auth_type":"oauth2"}]`,
		},
		"getApplicationBySlug": {
			reason: "with an account, whether it has connected the application",
			call:   call{method: "GET", path: "/public/application/slack", account: "acme"},
			want:   `{"slug":"slack","name":"Slack","auth_type":"oauth2","connected":false}`,
		},
		"upsertConfig": {
			reason: "a config that exists is answered as it is",
			call:   call{method: "POST", path: "/public/config", account: "acme", body: `{"slug":"hubspot","config_id":"acme"}`},
			want:   hubspotConfig,
		},
		"getConfigById": {
			reason: "the config is found by the id that was chosen",
			call:   call{method: "GET", path: "/public/config/acme", account: "acme"},
			want:   hubspotConfig,
		},
		"getConfigById by _id": {
			reason: "and by the one that was given",
			call:   call{method: "GET", path: "/public/config/CONFIG", account: "acme"},
			want:   hubspotConfig,
		},
		"updateConfig": {
			reason: "values of any type are kept",
			call:   call{method: "PUT", path: "/public/config/acme", account: "acme", body: `{"fields":{"deal_stage":"won","sync_interval_minutes":5,"field_mapping":{"a":"b"}},"workflows":[{"id":"sync-deals","enabled":true},{"id":"sync-contacts","enabled":false}]}`},
			want: `{"config_id":"acme","slug":"hubspot","linked_account_id":"acme","fields":{"deal_stage":"won","sync_interval_minutes":5,"field_mapping":{"a":"b"}},
				"workflows":[{"id":"sync-deals","enabled":true},{"id":"sync-contacts","enabled":false}]}`,
		},
		"deleteConfig": {
			reason: "deleting answers nothing",
			call:   call{method: "DELETE", path: "/public/config/acme", account: "acme"},
		},
		"listInstalledConfigs": {
			reason: "the word all is not taken for an id",
			call:   call{method: "GET", path: "/public/config/all", account: "acme"},
			want:   `[` + hubspotConfig + `]`,
		},
		"getConfigFields": {
			reason: "values are text, and absent where there is none",
			call:   call{method: "GET", path: "/public/config/acme/fields", account: "acme"},
			want: `[{"id":"deal_stage","name":"Deal stage","value":"appointmentscheduled"},{"id":"owner_email","name":"Owner"},
				{"id":"sync_interval_minutes","name":"Minutes between syncs","value":"15"},{"id":"field_mapping","name":"Field mapping"}]`,
		},
		"getFieldValueById": {
			reason: "one of them",
			call:   call{method: "GET", path: "/public/config/acme/field/deal_stage", account: "acme"},
			want:   `{"id":"deal_stage","name":"Deal stage","value":"appointmentscheduled"}`,
		},
		"updateFieldValueById": {
			reason: "writing answers nothing",
			call:   call{method: "PUT", path: "/public/config/acme/field/owner_email", account: "acme", body: `{"value":"jo@example.com"}`},
		},
		"deleteFieldValueById": {
			reason: "clearing a field that has no value is no error",
			call:   call{method: "DELETE", path: "/public/config/acme/field/owner_email", account: "acme"},
		},
		"getRuleEngineOptions": {
			reason: "the fields of the application and the operators",
			call:   call{method: "GET", path: "/public/config/acme/rule-engine/options", account: "acme"},
			want: `{"fields":[{"id":"deal_stage","name":"Deal stage"},{"id":"owner_email","name":"Owner"},{"id":"sync_interval_minutes","name":"Minutes between syncs"},
				{"id":"field_mapping","name":"Field mapping"}],"operators":["eq","neq","start_with","end_with","greater_or_equal","less_or_equal"]}`,
		},
		"triggerEvent": {
			reason: "an execution starts",
			call:   call{method: "POST", path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created","config_id":"acme","payload":{"deal":42}}`},
			want:   `{"message":"Event fired.","execution_id":"*"}`,
		},
		"createWebhook": {
			reason: "events that are subscribed to already are not repeated",
			call:   call{method: "POST", path: "/public/webhook", account: "acme", body: `{"webhook_url":"https://example.com/new","webhook_events":["Workflow Errored","Workflow Completed"]}`},
			want:   `{"webhook_url":"https://example.com/new","webhook_events":["Connection Created","Workflow Errored","Workflow Completed"],"linked_account_id":"acme"}`,
		},
		"getWebhook": {
			reason: "the subscription",
			call:   call{method: "GET", path: "/public/webhook", account: "acme"},
			want:   `{"webhook_url":"https://example.com/hook","webhook_events":["Connection Created","Workflow Errored"],"linked_account_id":"acme"}`,
		},
		"unsubscribeWebhook": {
			reason: "unsubscribing answers nothing",
			call:   call{method: "POST", path: "/public/webhook/unsubscribe", account: "acme", body: `{"webhook_events":["Workflow Errored"]}`},
		},
		"getExecutionById": {
			reason: "with no time to spend, it is completed at once",
			call:   call{method: "GET", path: "/public/execution/EXECUTION", account: "acme"},
			want:   dealExecution,
		},
		"listExecutions": {
			reason: "the execution of the event",
			call:   call{method: "GET", path: "/public/execution", account: "acme"},
			want:   `[` + dealExecution + `]`,
		},
		"createPublicWorkflow": {
			reason: "the token may come with the word Bearer or without",
			call:   call{method: "POST", path: "/public/workflow", header: withToken("Bearer TOKEN"), body: `{"name":"Sync","description":"Syncs.","nodes":[{"type":"start","config":{"a":1}}]}`},
			want:   `{"name":"Sync","description":"Syncs.","nodes":[{"type":"start","config":{"a":1}}]}`,
		},
		"executeWorkflow": {
			reason: "a workflow of the account's own",
			call:   call{method: "POST", path: "/public/workflow/WORKFLOW/execute", account: "acme", body: `{"payload":{"a":1}}`},
			want:   `{"execution_id":"*","status":"completed"}`,
		},
		"executeWorkflow of the seed": {
			reason: "a workflow of the seed, without a body",
			call:   call{method: "POST", path: "/public/workflow/sync-deals/execute", account: "acme"},
			want:   `{"execution_id":"*","status":"completed"}`,
		},
		"createHostedPortalUrl": {
			reason: "a link",
			call:   call{method: "POST", path: "/public/cobalt-hosted", body: `{"linked_account_id":"acme"}`},
			want:   `{"url":"*"}`,
		},
		"listConfigDatastores": {
			reason: "the datastore of the config's application",
			call:   call{method: "GET", path: "/public/datastore", account: "acme"},
			want:   `[{"name":"Deal stages","slug":"deal-stages","config_id":"acme"}]`,
		},
		"listDatastoreRecords": {
			reason: "all its records",
			call:   call{method: "GET", path: "/public/datastore/DATASTORE/records", account: "acme"},
			want: `[{"id":1,"stage":"appointmentscheduled","probability":0.2,"open":true},{"id":2,"stage":"qualifiedtobuy","probability":0.4,"open":true},
				{"id":3,"stage":"closedwon","probability":1,"open":false}]`,
		},
		"searchDatastoreRecords": {
			reason: "the records that have every property of the query",
			call:   call{method: "POST", path: "/public/datastore/DATASTORE/search", account: "acme", body: `{"query":{"open":true,"id":2}}`},
			want:   `[{"id":2,"stage":"qualifiedtobuy","probability":0.4,"open":true}]`,
		},
	}
	answered := map[string]bool{}
	for name, tc := range cases {
		operation, _, _ := strings.Cut(name, " ")
		answered[operation] = true
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			w.populate()
			ids := given(w)
			tc.call.path = ids.Replace(tc.call.path)
			for key, value := range tc.call.header {
				tc.call.header[key] = ids.Replace(value)
			}
			w.ResetCalls()
			got := w.must(tc.call)
			if diff := cmp.Diff(parsed(t, tc.want), parsed(t, got.body), volatile); diff != "" {
				t.Errorf("%s: (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(map[string]int{operation: 1}, w.Calls()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
	if len(answered) != 31 {
		t.Errorf("%d operations have a case, want all 31", len(answered))
	}
}

const hubspotConfig = `{"config_id":"acme","slug":"hubspot","linked_account_id":"acme","fields":{"deal_stage":"appointmentscheduled","sync_interval_minutes":15},
	"workflows":[{"id":"sync-deals","enabled":false},{"id":"sync-contacts","enabled":false}]}`

const dealExecution = `{"workflow_id":"sync-deals","linked_account_id":"acme","status":"completed","started_at":"2026-11-23T09:00:00Z","completed_at":"2026-11-23T09:00:00Z",
	"logs":[{"level":"info","message":"The execution was queued."},{"level":"info","message":"The execution started."},{"level":"info","message":"The execution completed."}]}`

// volatile compares without what differs between runs or says nothing here,
// and takes the text * as any.
var volatile = cmp.Options{
	cmpopts.IgnoreMapEntries(func(key string, _ any) bool {
		switch key {
		case "_id", "created_at", "updated_at", "icon", "time":
			return true
		}
		return false
	}),
	cmpopts.IgnoreMapEntries(func(key string, value any) bool { return key == "description" && value != "Syncs." }),
	cmp.FilterValues(func(a, b string) bool { return a == "*" || b == "*" }, cmp.Ignore()),
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

func TestPathElementsAreDecodedOnce(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for escaped, id := range map[string]string{"jo@example.com": "jo@example.com", "a%20b": "a b", "a%2Fb": "a/b", "50%2525": "50%25", "%C3%A9t%C3%A9": "été"} {
		w.send(call{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"` + id + `"}`})
		got := w.send(call{method: "GET", path: "/public/linked-account/" + escaped})
		if got.status != 200 || got.object(t)["linked_account_id"] != id {
			t.Errorf("%s: got %d %s, want account %q", escaped, got.status, got.body, id)
		}
	}
}

func TestIDsAndTimesAreGiven(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	before := w.State("test")
	if len(before.Accounts[0].ID) != 24 || before.Accounts[0].CreatedAt != w.Now() {
		t.Errorf("got %+v, want an id of 24 digits and the present time", before.Accounts[0])
	}
	w.Advance(time.Minute)
	w.must(call{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"acme"}`})
	after := w.State("test").Accounts[0]
	if after.UpdatedAt != w.Now() || after.CreatedAt != before.Accounts[0].CreatedAt || after.ID != before.Accounts[0].ID {
		t.Errorf("got %+v, want only updated_at to move", after)
	}
	w.must(call{method: "DELETE", path: "/public/linked-account/acme"})
	w.populate()
	if again := w.State("test"); again.Accounts[0].ID == after.ID || again.Configs[0].ID == before.Configs[0].ID {
		t.Error("what was created again has the _id of what was deleted")
	}
}
