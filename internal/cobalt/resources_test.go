package cobalt_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract/contracttest"
)

const (
	key     = "test-key-0123456789"
	session = "eyJ.session.token"
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// sent is what a server saw of a call.
type sent struct {
	Method, Path                   string
	Key, Session, Account, BodyTyp string
	Body                           string
}

// requests are those that were made of the operations, as they are sent.
type requests struct {
	mu   sync.Mutex
	text map[string]string
}

func (r *requests) add(operation string, request *http.Request, body []byte) {
	text := fmt.Sprintf("%s %s\n", request.Method, request.RequestURI)
	for _, name := range slices.Sorted(maps.Keys(request.Header)) {
		text += fmt.Sprintf("%s: %s\n", name, strings.Join(request.Header[name], ", "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text[operation] = text + "\n" + string(body)
}

var update = flag.Bool("update", false, "write what tests compare with anew")

// areThoseOf compares all requests with a file.
func (r *requests) areThoseOf(t *testing.T, file string) {
	t.Helper()
	var got strings.Builder
	for _, operation := range slices.Sorted(maps.Keys(r.text)) {
		fmt.Fprintf(&got, "== %s\n%s\n\n", operation, r.text[operation])
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("requests differ from those of %s, which -update writes anew if that is meant (-want +got):\n%s", file, diff)
	}
}

// serve answers every call with answer, and says what it was asked.
func serve(t *testing.T, answer string, seen func(*http.Request, []byte)) (baseURL string, saw func() sent) {
	t.Helper()
	var last sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen(r, body)
		last = sent{
			Method: r.Method, Path: r.RequestURI, Key: r.Header.Get("x-api-key"), Session: r.Header.Get("Authorization"),
			Account: r.Header.Get("linked_account_id"), BodyTyp: r.Header.Get("Content-Type"), Body: string(body),
		}
		if answer != "" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api/v2", func() sent { return last }
}

func connect(t *testing.T, o cobalt.Options) *cobalt.Client {
	t.Helper()
	o.APIKey = key
	c, err := cobalt.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func collect[T any](seq iter.Seq2[T, error]) (any, error) {
	var all []T
	for element, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, element)
	}
	return all, nil
}

// one fits a call's results into the table.
func one[T any](result T, err error) (any, error) { return result, err }

func raw(text string) json.RawMessage { return json.RawMessage(text) }

func TestOperations(t *testing.T) {
	t.Parallel()
	account := `{"_id":"a1","linked_account_id":"acme@x","name":"Acme","your_app":{"n":9007199254740993},` +
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`
	wantAccount := cobalt.LinkedAccount{
		ID: "a1", LinkedAccountID: "acme@x", Name: "Acme", YourApp: map[string]any{"n": json.Number("9007199254740993")},
		CreatedAt: created, UpdatedAt: created,
	}
	application := `{"name":"Hubspot","slug":"hubspot","icon":"https://x/i.png","description":"CRM","auth_type":"oauth2","connected":true}`
	wantApplication := cobalt.Application{
		Name: "Hubspot", Slug: "hubspot", Icon: "https://x/i.png", Description: "CRM", AuthType: "oauth2", Connected: new(true),
	}
	config := `{"_id":"c 1","slug":"hubspot","linked_account_id":"acme","fields":{"f1":"won"},"workflows":[{"id":"w1","enabled":true}],` +
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`
	wantConfig := cobalt.Config{
		ID: "c 1", Slug: "hubspot", LinkedAccountID: "acme", Fields: map[string]json.RawMessage{"f1": raw(`"won"`)},
		Workflows: []cobalt.ConfigWorkflow{{ID: "w1", Enabled: true}}, CreatedAt: created, UpdatedAt: created,
	}
	field := `{"id":"f1","name":"Stage","value":"won"}`
	wantField := cobalt.ConfigField{ID: "f1", Name: "Stage", Value: raw(`"won"`)}
	webhook := `{"_id":"wh1","webhook_url":"https://hook.example/x","webhook_events":["Workflow Errored"],"linked_account_id":"acme"}`
	wantWebhook := cobalt.Webhook{
		ID: "wh1", URL: "https://hook.example/x", Events: []string{"Workflow Errored"}, LinkedAccountID: "acme",
	}
	execution := `{"_id":"e1","workflow_id":"w1","linked_account_id":"acme","status":"completed",` +
		`"started_at":"2026-01-02T03:04:05Z","completed_at":"2026-01-02T03:04:05Z","logs":[{}]}`
	wantExecution := cobalt.Execution{
		ID: "e1", WorkflowID: "w1", LinkedAccountID: "acme", Status: "completed",
		StartedAt: created, CompletedAt: created, Logs: []json.RawMessage{raw(`{}`)},
	}
	records := []json.RawMessage{raw(`{"a":1}`), raw(`{"a":2}`)}
	all := &requests{text: map[string]string{}}
	if !strings.Contains(flag.Lookup("test.run").Value.String(), "/") { // or else only some are made
		t.Cleanup(func() { all.areThoseOf(t, "testdata/requests.txt") })
	}
	type call = func(ctx context.Context, c *cobalt.Client) (any, error)

	for operation, tc := range map[string]struct {
		call   call
		answer string
		sent   sent // but for what all calls have in common
		want   any
	}{
		"createSessionToken": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.CreateSessionToken(ctx, "acme"))
			},
			answer: `{"token":"eyJ.t","expires_in":3600}`,
			sent:   sent{Method: "POST", Path: "/session-token", Body: `{"linked_account_id":"acme"}`},
			want:   &cobalt.SessionToken{Token: "eyJ.t", ExpiresIn: time.Hour},
		},
		"listLinkedAccounts": {
			call:   func(ctx context.Context, c *cobalt.Client) (any, error) { return collect(c.ListLinkedAccounts(ctx)) },
			answer: "[" + account + "]",
			sent:   sent{Method: "GET", Path: "/linked-account"},
			want:   []cobalt.LinkedAccount{wantAccount},
		},
		"createLinkedAccount": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.CreateLinkedAccount(ctx, cobalt.LinkedAccountInput{ID: "acme@x"}))
			},
			answer: account,
			sent:   sent{Method: "POST", Path: "/linked-account", Body: `{"linked_account_id":"acme@x"}`},
			want:   &wantAccount,
		},
		"getLinkedAccount": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.GetLinkedAccount(ctx, "acme @x"))
			},
			answer: account,
			sent:   sent{Method: "GET", Path: "/linked-account/acme%20@x"},
			want:   &wantAccount,
		},
		"deleteLinkedAccount": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return nil, c.DeleteLinkedAccount(ctx, "acme")
			},
			sent: sent{Method: "DELETE", Path: "/linked-account/acme"},
		},
		"upsertLinkedAccount": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				in := cobalt.LinkedAccountInput{ID: "acme@x", Name: "Acme", YourApp: map[string]any{"tier": "gold"}}
				return one(c.UpsertLinkedAccount(ctx, in))
			},
			answer: account,
			sent: sent{
				Method: "POST", Path: "/linked-account/upsert",
				Body: `{"linked_account_id":"acme@x","name":"Acme","your_app":{"tier":"gold"}}`,
			},
			want: &wantAccount,
		},
		"migrateToken": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return nil, c.MigrateToken(ctx, "acme", "hubspot", raw(`{"access_token":"a"}`))
			},
			sent: sent{
				Method: "POST", Path: "/linked-account/acme/migrate-token",
				Body: `{"slug":"hubspot","token":{"access_token":"a"}}`,
			},
		},
		"listApplications": {
			call:   func(ctx context.Context, c *cobalt.Client) (any, error) { return collect(c.ListApplications(ctx, "")) },
			answer: "[" + application + "]",
			sent:   sent{Method: "GET", Path: "/application"},
			want:   []cobalt.Application{wantApplication},
		},
		"getApplicationBySlug": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.GetApplication(ctx, "acme", "hubspot"))
			},
			answer: application,
			sent:   sent{Method: "GET", Path: "/application/hubspot", Account: "acme"},
			want:   &wantApplication,
		},
		"upsertConfig": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.UpsertConfig(ctx, "acme", "hubspot", "c 1"))
			},
			answer: config,
			sent:   sent{Method: "POST", Path: "/config", Account: "acme", Body: `{"slug":"hubspot","config_id":"c 1"}`},
			want:   &wantConfig,
		},
		"getConfigById": {
			call:   func(ctx context.Context, c *cobalt.Client) (any, error) { return one(c.GetConfig(ctx, "acme", "c 1")) },
			answer: config,
			sent:   sent{Method: "GET", Path: "/config/c%201", Account: "acme"},
			want:   &wantConfig,
		},
		"updateConfig": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.UpdateConfig(ctx, "acme", "c 1", cobalt.ConfigUpdate{
					Fields: map[string]json.RawMessage{"f1": raw(`{"a":[1]}`)}, Workflows: []cobalt.ConfigWorkflow{{ID: "w1"}},
				}))
			},
			answer: config,
			sent: sent{
				Method: "PUT", Path: "/config/c%201", Account: "acme",
				Body: `{"fields":{"f1":{"a":[1]}},"workflows":[{"id":"w1","enabled":false}]}`,
			},
			want: &wantConfig,
		},
		"deleteConfig": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return nil, c.DeleteConfig(ctx, "acme", "c1")
			},
			sent: sent{Method: "DELETE", Path: "/config/c1", Account: "acme"},
		},
		"listInstalledConfigs": {
			call:   func(ctx context.Context, c *cobalt.Client) (any, error) { return collect(c.ListConfigs(ctx, "acme")) },
			answer: "[" + config + "," + config + "]",
			sent:   sent{Method: "GET", Path: "/config/all", Account: "acme"},
			want:   []cobalt.Config{wantConfig, wantConfig},
		},
		"getConfigFields": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return collect(c.ListConfigFields(ctx, "acme", "c1"))
			},
			answer: "[" + field + "]",
			sent:   sent{Method: "GET", Path: "/config/c1/fields", Account: "acme"},
			want:   []cobalt.ConfigField{wantField},
		},
		"getFieldValueById": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.GetConfigField(ctx, "acme", "c1", "f1"))
			},
			answer: field,
			sent:   sent{Method: "GET", Path: "/config/c1/field/f1", Account: "acme"},
			want:   &wantField,
		},
		"updateFieldValueById": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return nil, c.UpdateConfigField(ctx, "acme", "c1", "f1", "won")
			},
			sent: sent{Method: "PUT", Path: "/config/c1/field/f1", Account: "acme", Body: `{"value":"won"}`},
		},
		"deleteFieldValueById": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return nil, c.DeleteConfigField(ctx, "acme", "c1", "f1")
			},
			sent: sent{Method: "DELETE", Path: "/config/c1/field/f1", Account: "acme"},
		},
		"getRuleEngineOptions": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.GetRuleEngineOptions(ctx, "acme", "c1"))
			},
			answer: `{"rule_column":{}}`,
			sent:   sent{Method: "GET", Path: "/config/c1/rule-engine/options", Account: "acme"},
			want:   raw(`{"rule_column":{}}`),
		},
		"triggerEvent": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				in := cobalt.EventInput{Event: "Deal Created", ConfigID: "c1", Payload: raw(`{"id":1}`)}
				return one(c.TriggerEvent(ctx, "acme", "deal-created", in))
			},
			answer: `{"message":"triggered","execution_id":"e1"}`,
			sent: sent{
				Method: "POST", Path: "/event/deal-created", Account: "acme",
				Body: `{"event":"Deal Created","config_id":"c1","payload":{"id":1}}`,
			},
			want: &cobalt.EventResult{Message: "triggered", ExecutionID: "e1"},
		},
		"createWebhook": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				in := cobalt.WebhookInput{URL: "https://hook.example/x", Events: []string{"Workflow Errored"}}
				return one(c.CreateWebhook(ctx, "acme", in))
			},
			answer: webhook,
			sent: sent{
				Method: "POST", Path: "/webhook", Account: "acme",
				Body: `{"webhook_url":"https://hook.example/x","webhook_events":["Workflow Errored"]}`,
			},
			want: &wantWebhook,
		},
		"getWebhook": {
			call:   func(ctx context.Context, c *cobalt.Client) (any, error) { return one(c.GetWebhook(ctx, "acme")) },
			answer: webhook,
			sent:   sent{Method: "GET", Path: "/webhook", Account: "acme"},
			want:   &wantWebhook,
		},
		"unsubscribeWebhook": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return nil, c.UnsubscribeWebhook(ctx, "acme", []string{"Workflow Errored"})
			},
			sent: sent{Method: "POST", Path: "/webhook/unsubscribe", Account: "acme", Body: `{"webhook_events":["Workflow Errored"]}`},
		},
		"getExecutionById": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.GetExecution(ctx, "acme", "e1"))
			},
			answer: execution,
			sent:   sent{Method: "GET", Path: "/execution/e1", Account: "acme"},
			want:   &wantExecution,
		},
		"listExecutions": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return collect(c.ListExecutions(ctx, "acme"))
			},
			answer: "[" + execution + "]",
			sent:   sent{Method: "GET", Path: "/execution", Account: "acme"},
			want:   []cobalt.Execution{wantExecution},
		},
		"createPublicWorkflow": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.CreatePublicWorkflow(ctx, session, cobalt.WorkflowInput{
					Name: "Sync", Description: "d", Nodes: []cobalt.WorkflowNode{{Type: "start", Config: raw(`{"a":1}`)}},
				}))
			},
			answer: `{"_id":"w1","name":"Sync","description":"d","nodes":[{"type":"start","config":{"a":1}}],` +
				`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`,
			sent: sent{
				Method: "POST", Path: "/workflow", Session: session,
				Body: `{"name":"Sync","description":"d","nodes":[{"type":"start","config":{"a":1}}]}`,
			},
			want: &cobalt.PublicWorkflow{
				ID: "w1", Name: "Sync", Description: "d", Nodes: []cobalt.WorkflowNode{{Type: "start", Config: raw(`{"a":1}`)}},
				CreatedAt: created, UpdatedAt: created,
			},
		},
		"executeWorkflow": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.ExecuteWorkflow(ctx, "acme", "w1", raw(`{"id":1}`)))
			},
			answer: `{"execution_id":"e1","status":"running"}`,
			sent:   sent{Method: "POST", Path: "/workflow/w1/execute", Account: "acme", Body: `{"payload":{"id":1}}`},
			want:   &cobalt.ExecuteResult{ExecutionID: "e1", Status: "running"},
		},
		"createHostedPortalUrl": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return one(c.CreateHostedPortalURL(ctx, "acme"))
			},
			answer: `{"url":"https://connect.example/t"}`,
			sent:   sent{Method: "POST", Path: "/cobalt-hosted", Body: `{"linked_account_id":"acme"}`},
			want:   "https://connect.example/t",
		},
		"listConfigDatastores": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return collect(c.ListDatastores(ctx, "acme"))
			},
			answer: `[{"_id":"d1","name":"leads","slug":"leads","config_id":"c1"}]`,
			sent:   sent{Method: "GET", Path: "/datastore", Account: "acme"},
			want:   []cobalt.Datastore{{ID: "d1", Name: "leads", Slug: "leads", ConfigID: "c1"}},
		},
		"listDatastoreRecords": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return collect(c.ListDatastoreRecords(ctx, "acme", "d1"))
			},
			answer: `[{"a":1},{"a":2}]`,
			sent:   sent{Method: "GET", Path: "/datastore/d1/records", Account: "acme"},
			want:   records,
		},
		"searchDatastoreRecords": {
			call: func(ctx context.Context, c *cobalt.Client) (any, error) {
				return collect(c.SearchDatastoreRecords(ctx, "acme", "d1", raw(`{"stage":"new"}`)))
			},
			answer: `[{"a":1},{"a":2}]`,
			sent:   sent{Method: "POST", Path: "/datastore/d1/search", Account: "acme", Body: `{"query":{"stage":"new"}}`},
			want:   records,
		},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			baseURL, saw := serve(t, tc.answer, func(r *http.Request, body []byte) { all.add(operation, r, body) })
			var told cobalt.Call
			underWay := map[string]bool{}
			c := connect(t, cobalt.Options{
				BaseURL: baseURL + "/", Observe: func(_ context.Context, call cobalt.Call) { told = call },
				Begun: func(operation string) func() {
					underWay[operation] = true
					return func() { underWay[operation] = false }
				},
				Transport: contracttest.Transport(t, http.DefaultTransport),
			})
			got, err := tc.call(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			tc.sent.Path = "/api/v2/public" + tc.sent.Path
			if tc.sent.Session == "" {
				tc.sent.Key = key
			}
			if tc.sent.Body != "" {
				tc.sent.BodyTyp = "application/json"
			}
			if diff := cmp.Diff(tc.sent, saw()); diff != "" {
				t.Errorf("the request differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the result differs (-want +got):\n%s", diff)
			}
			if told.Operation != operation || told.Status != http.StatusOK || told.Err != nil || told.Duration <= 0 {
				t.Errorf("Observe was told %+v", told)
			}
			if diff := cmp.Diff(map[string]bool{operation: false}, underWay); diff != "" {
				t.Errorf("Begun was told of this call, and that it has ended: %s", diff)
			}
		})
	}
}

func TestIDsAreCheckedBeforeSending(t *testing.T) {
	t.Parallel()
	silent := connect(t, cobalt.Options{BaseURL: "https://api.example", Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.ErrUnsupported
	})})
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"PathElement":   func() error { return silent.DeleteLinkedAccount(ctx, "a/b") },
		"Dots":          func() error { return silent.DeleteConfig(ctx, "acme", "..") },
		"RouteAccount":  func() error { return silent.DeleteLinkedAccount(ctx, "upsert") },
		"RouteConfig":   func() error { return silent.DeleteConfig(ctx, "acme", "all") },
		"RouteEvent":    func() error { _, err := silent.TriggerEvent(ctx, "a", "trigger", cobalt.EventInput{}); return err },
		"RouteWorkflow": func() error { _, err := silent.ExecuteWorkflow(ctx, "acme", "versions", nil); return err },
		"Unreachable": func() error {
			_, err := silent.UpsertLinkedAccount(ctx, cobalt.LinkedAccountInput{ID: "integration"})
			return err
		},
		"ConfigInBody": func() error { _, err := silent.UpsertConfig(ctx, "acme", "hubspot", "a?b"); return err },
		"Header":       func() error { _, err := silent.GetWebhook(ctx, "acme\r\nx-evil: 1"); return err },
		"NoAccount":    func() error { _, err := collect(silent.ListConfigs(ctx, "")); return err },
		"NoToken":      func() error { _, err := silent.CreatePublicWorkflow(ctx, "", cobalt.WorkflowInput{}); return err },
		"Field":        func() error { return silent.DeleteConfigField(ctx, "acme", "c1", "ä") },
	} {
		if err := call(); !cobalt.IsInvalidID(err) || cobalt.OutcomeUnknown(err) || cobalt.IsRejected(err) {
			t.Errorf("%s: %v, want an InvalidIDError", name, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
