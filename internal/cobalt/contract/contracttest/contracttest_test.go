package contracttest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract/contracttest"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

const base = "http://127.0.0.1:8080/api/v2"

func request(t *testing.T, method, url, body string, header map[string]string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-api-key", "k")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	return r
}

func TestCheckRequest(t *testing.T) {
	account := map[string]string{"linked_account_id": "acme"}
	cases := map[string]struct {
		reason            string
		method, url, body string
		header            map[string]string
		want              string // part of the error; empty: none
	}{
		"good":            {"all there", "POST", base + "/public/config", `{"slug":"a"}`, account, ""},
		"extra":           {"the contract does not forbid further properties", "POST", base + "/public/config", `{"slug":"a","b":1}`, account, ""},
		"escaped":         {"ids may hold anything", "GET", base + "/public/config/a%20b@c%2Fd", "", account, ""},
		"all":             {"a fixed path goes before a pattern", "GET", base + "/public/config/all", "", account, ""},
		"no header":       {"the account is missing", "POST", base + "/public/config", `{"slug":"a"}`, nil, "linked_account_id"},
		"no body":         {"the body is missing", "POST", base + "/public/config", "", account, "content type"},
		"no slug":         {"a property is missing", "POST", base + "/public/config", `{}`, account, "slug"},
		"wrong type":      {"a property is of the wrong type", "POST", base + "/public/config", `{"slug":1}`, account, "string"},
		"unexpected body": {"the call takes none", "DELETE", base + "/public/config/a", `{"a":1}`, account, "body"},
		"no credentials":  {"a workflow needs a session token, not a key", "POST", base + "/public/workflow", `{"name":"n","nodes":[]}`, nil, "Authorization"},
		"unknown path":    {"there is no such operation", "GET", base + "/public/workflow/w", "", nil, "breaks"},
		"unknown method":  {"or not with this method", "PATCH", base + "/public/config/a", "", account, "breaks"},
		"without base":    {"the base path is missing", "GET", "http://127.0.0.1:8080/elsewhere/public/application", "", nil, "breaks"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := contracttest.CheckRequest(request(t, tc.method, tc.url, "", tc.header), nil)
			if tc.body != "" {
				err = contracttest.CheckRequest(request(t, tc.method, tc.url, tc.body, tc.header), []byte(tc.body))
			}
			check(t, tc.reason, err, tc.want)
		})
	}
}

func TestCheckResponse(t *testing.T) {
	cases := map[string]struct {
		reason string
		url    string
		status int
		body   string
		want   string
	}{
		"good":            {"as declared", "/public/execution/e", 200, `{"_id":"e","status":"failed","started_at":"2026-11-23T09:00:00Z"}`, ""},
		"declared miss":   {"a status that is declared", "/public/execution/e", 404, `{}`, ""},
		"exempt":          {"one that any operation may answer", "/public/linked-account", 503, `x`, ""},
		"undeclared":      {"one that it may not", "/public/linked-account", 201, `[]`, "201"},
		"no redirect":     {"nor redirect", "/public/linked-account", 302, ``, "302"},
		"unknown word":    {"a word that the schema does not know", "/public/execution/e", 200, `{"status":"done"}`, "status"},
		"no time":         {"a time that is none", "/public/execution/e", 200, `{"started_at":"yesterday"}`, "started_at"},
		"object for list": {"one where the contract has many", "/public/execution", 200, `{}`, "array"},
		"not JSON":        {"a page of a proxy", "/public/execution", 200, `<html>`, "breaks"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Content-Type": {"application/json"}}
			err := contracttest.CheckResponse(request(t, "GET", base+tc.url, "", nil), tc.status, header, []byte(tc.body))
			check(t, tc.reason, err, tc.want)
		})
	}
}

func check(t *testing.T, reason string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: got %v, want an error with %q", reason, err, want)
	}
}

// listener is a test that notes its errors in the place of failing.
type listener struct {
	testing.TB
	heard int
}

func (l *listener) Errorf(string, ...any) { l.heard++ }

func TestTransport(t *testing.T) {
	server := simulator.New(simulator.Options{Keys: map[string]string{"k": "test"}})
	lying := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("lie") != "" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		server.ServeHTTP(w, r)
	}))
	defer lying.Close()
	url := lying.URL + simulator.BasePath + "/public/linked-account"
	cases := map[string]struct {
		reason string
		fault  simulator.Fault
		body   string
		header map[string]string
		want   int
		text   string
	}{
		"good":        {"nothing to say, and the body arrives", simulator.Fault{}, `{"linked_account_id":"acme"}`, nil, 0, `"acme"`},
		"bad request": {"the request is wrong", simulator.Fault{}, `{}`, nil, 1, "missing"},
		"bad answer":  {"the answer is wrong", simulator.Fault{}, `{"linked_account_id":"x"}`, map[string]string{"lie": "1"}, 1, ""},
		"spoiled":     {"the answer is meant to be wrong", simulator.Fault{Body: "<html>", Times: 1}, `{"linked_account_id":"x"}`, nil, 0, "<html>"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.fault.Times > 0 {
				server.Inject(tc.fault)
			}
			l := &listener{TB: t}
			answer, err := contracttest.Transport(l, http.DefaultTransport).RoundTrip(request(t, "POST", url, tc.body, tc.header))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if err != nil || l.heard != tc.want || !strings.Contains(string(text), tc.text) {
				t.Errorf("%s: got %d errors and body %s (%v), want %d and %q", tc.reason, l.heard, text, err, tc.want, tc.text)
			}
		})
	}
}
