package cobalt_test

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

func TestNewChecksOptions(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options cobalt.Options
		want    string
	}{
		"Relative": {options: cobalt.Options{BaseURL: "api.example/api"}, want: "base URL: must be absolute and start with https:// or http://"},
		"Scheme": {
			options: cobalt.Options{BaseURL: "ftp://api.example"},
			want:    "base URL: must be absolute and start with https:// or http://",
		},
		"UserInfo": {options: cobalt.Options{BaseURL: "https://u:p@api.example"}, want: "base URL: must not contain a user name or password"},
		"Query":    {options: cobalt.Options{BaseURL: "https://api.example?a=b"}, want: "base URL: must not have a query or a fragment"},
		"Fragment": {options: cobalt.Options{BaseURL: "https://api.example#a"}, want: "base URL: must not have a query or a fragment"},
		"Garbage":  {options: cobalt.Options{BaseURL: "https://api.example:x\x7f"}, want: "base URL: is not a URL"},
		"NoKey":    {options: cobalt.Options{BaseURL: "https://api.example"}, want: "API key: is empty"},
		"KeyBreak": {options: cobalt.Options{BaseURL: "https://api.example", APIKey: "k\n"}, want: "API key: starts or ends with white space"},
		"NoCA": {
			options: cobalt.Options{BaseURL: "https://api.example", APIKey: "k", CABundle: []byte("x")},
			want:    "CA bundle: contains no PEM certificate",
		},
	} {
		if _, err := cobalt.New(tc.options); fmt.Sprint(err) != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://API.Example/api/v2":   "https://api.example",
		"HTTPS://api.example:443":      "https://api.example",
		"http://api.example:80/":       "http://api.example",
		"http://api.example:0080/":     "http://api.example",
		"http://api.example:443":       "http://api.example:443",
		"https://[2001:DB8::1]:8443/x": "https://[2001:db8::1]:8443",
		"https://a@api.example":        "",
		"https://api.example:99999":    "",
		"api.example":                  "",
		"":                             "",
	} {
		if got, err := cobalt.Origin(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("Origin(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestValidateID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct{ id, path bool }{
		"acme-1":                 {id: true, path: true},
		"joe@acme.example":       {id: true, path: true},
		"a b":                    {id: true, path: true},
		"...":                    {id: true, path: true},
		strings.Repeat("x", 256): {id: true, path: true},
		strings.Repeat("x", 257): {},
		"":                       {},
		" a":                     {},
		"a\n":                    {},
		"é":                      {},
		"a\x00b":                 {},
		".":                      {id: true},
		"..":                     {id: true},
		"a/b":                    {id: true},
		`a\b`:                    {id: true},
		"a%2fb":                  {id: true},
		"a?b":                    {id: true},
		"a#b":                    {id: true},
	} {
		if err := cobalt.ValidateID(id); (err == nil) != want.id {
			t.Errorf("ValidateID(%q): %v", id, err)
		}
		if err := cobalt.ValidatePathID(id); (err == nil) != want.path {
			t.Errorf("ValidatePathID(%q): %v", id, err)
		}
	}
}

func TestClientTrustsItsCABundle(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answer(200, `{"_id":"a1"}`))
	t.Cleanup(server.Close)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c := connect(t, cobalt.Options{BaseURL: server.URL, CABundle: bundle})
	if err := getAccount(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// TestOldTLSIsRefused: nothing is sent to a server that speaks no TLS newer than 1.1.
func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := getAccount(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL, CABundle: bundle})); err == nil {
		t.Error("it was accepted")
	}
}

func TestReadsFollowRedirectsWithinTheirOrigin(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("/old/", http.RedirectHandler("/new", http.StatusMovedPermanently))
	mux.HandleFunc("/new", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("x-api-key") != key {
			t.Error("the key got lost")
		}
		answer(200, `{"_id":"a1"}`)(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	if err := getAccount(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL + "/old"})); err != nil {
		t.Error(err)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	endless := `{"docs":[{"name":"x"}],"hasNextPage":true,"nextPage":1}`
	for name, tc := range map[string]struct {
		reason string
		pages  []string // what ?page=1, 2 … answer
		want   string   // the names
		err    string
	}{
		"Array":  {reason: "the contract's form", pages: []string{`[{"name":"a"},{"name":"b"}]`}, want: "ab"},
		"Empty":  {reason: "may be empty", pages: []string{` [] `}},
		"NoDocs": {reason: "also as a page", pages: []string{`{"docs":[],"totalPages":0}`}},
		"NextPage": {
			reason: "nextPage is followed",
			pages: []string{
				`{"docs":[{"name":"a"}],"hasNextPage":true,"nextPage":2}`,
				`{"docs":[{"name":"b"}],"hasNextPage":false,"totalPages":9}`,
			},
			want: "ab",
		},
		"TotalPages": {
			reason: "or else totalPages",
			pages:  []string{`{"page":1,"totalPages":2,"docs":[{"name":"a"}]}`, `{"docs":[{"name":"b"}],"page":2,"totalPages":2}`},
			want:   "ab",
		},
		"Limit": {
			reason: "or else until a page is not full",
			pages:  []string{`{"docs":[{"name":"a"}],"limit":1}`, `{"docs":[],"limit":1}`},
			want:   "a",
		},
		"OneObject": {reason: "a list of one may be bare", pages: []string{`{"_id":"1","name":"a"}`}, want: "a"},
		"Names":     {reason: "elements may be names", pages: []string{`["a","b"]`}, want: "ab"},
		"Endless": {
			reason: "pages must come to an end",
			pages:  []string{endless},
			want:   "x",
			err:    "the answer to listConfigDatastores has pages without an end",
		},
		"BreaksOff": {
			reason: "half a list is none",
			pages:  []string{`[{"name":"a"},`},
			want:   "a",
			err:    "the answer to listConfigDatastores breaks off",
		},
		"BreaksOff2": {
			reason: "also at the end of an element",
			pages:  []string{`[{"name":"a"}`},
			want:   "a",
			err:    "the answer to listConfigDatastores breaks off",
		},
		"BreaksOff3": {
			reason: "also in a page",
			pages:  []string{`{"docs":[{"name":"a"}]`},
			want:   "a",
			err:    "the answer to listConfigDatastores breaks off",
		},
		"LaterPage": {
			reason: "also on a later page",
			pages:  []string{`{"docs":[{"name":"a"}],"totalPages":2}`, `{"docs":`},
			want:   "a",
			err:    "the answer to listConfigDatastores breaks off",
		},
		"Garbage": {reason: "nothing may follow", pages: []string{`[]]`}, err: "the answer to listConfigDatastores is not JSON"},
		"Message": {
			reason: "a message is no list of one",
			pages:  []string{`{"message":"all is well"}`},
			err:    "the answer to listConfigDatastores is not a list",
		},
		"Null":    {reason: "nor is nothing", pages: []string{`null`}, err: "the answer to listConfigDatastores is not a list"},
		"Nothing": {reason: "nor is an empty answer", pages: []string{``}, err: "the answer to listConfigDatastores is empty"},
		"Page": {
			reason: "nor a page for people",
			pages:  []string{`<html>`},
			err:    "the answer to listConfigDatastores is an HTML page, not JSON: is the base URL right?",
		},
		"HugeElement": {
			reason: "elements are bounded",
			pages:  []string{`["` + strings.Repeat("x", 9<<20) + `"]`},
			err:    "the answer to listConfigDatastores is larger than 8 MiB",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				page := 1
				_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
				answer(200, tc.pages[page-1])(w, r)
			}))
			t.Cleanup(server.Close)
			var names, failure string
			for store, err := range connect(t, cobalt.Options{BaseURL: server.URL}).ListDatastores(t.Context(), "acme") {
				if err != nil {
					failure = err.Error()
					continue
				}
				names += store.Name
			}
			if names != tc.want || failure != tc.err {
				t.Errorf("%s: got %q and error %q, want %q and %q", tc.reason, names, failure, tc.want, tc.err)
			}
		})
	}
}

func TestListsHaveNoBoundAsAWhole(t *testing.T) {
	t.Parallel()
	record := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	server := httptest.NewServer(answer(200, "["+strings.Repeat(record+",", 11)+record+"]"))
	t.Cleanup(server.Close)
	c := connect(t, cobalt.Options{BaseURL: server.URL})
	count := 0
	for _, err := range c.ListDatastoreRecords(t.Context(), "acme", "d1") {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 12 {
		t.Errorf("got %d records of 12", count)
	}
	for _, err := range c.ListDatastoreRecords(t.Context(), "acme", "d1") {
		if err != nil {
			t.Error(err)
		}
		break // the rest is not read
	}
}

// TestDialects has the answers of other deployments than the contract's.
func TestDialects(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		into any
		want any
	}{
		"Account": {
			text: `{"_id":"1","account_id":"acme","your_app":"none","createdAt":"2026-01-02T03:04:05.000Z","integrations":null}`,
			into: &cobalt.LinkedAccount{}, want: &cobalt.LinkedAccount{ID: "1", LinkedAccountID: "acme", CreatedAt: created},
		},
		"Config": {
			text: `{"_id":"66","config_id":"c1","fields":[{"id":"f1","value":0},{"id":"f2"},{"id":"f3","value":{"a":1}}],"workflows":null}`,
			into: &cobalt.Config{}, want: &cobalt.Config{ID: "c1", Fields: map[string]json.RawMessage{"f1": raw("0"), "f3": raw(`{"a":1}`)}},
		},
		"ConfigSlots": {
			text: `{"id":"c1","fields":null,"application_data_slots":{"f1":[1]}}`,
			into: &cobalt.Config{}, want: &cobalt.Config{ID: "c1", Fields: map[string]json.RawMessage{"f1": raw("[1]")}},
		},
		"ConfigNull": {
			text: `{"id":"c1","fields":{"f1":null}}`,
			into: &cobalt.Config{}, want: &cobalt.Config{ID: "c1", Fields: map[string]json.RawMessage{}},
		},
		"Field": {text: `{"id":1,"value":null}`, into: &cobalt.ConfigField{}, want: &cobalt.ConfigField{ID: "1"}},
		"Workflow": {
			text: `{"workflow":{"_id":"w1","name":"n"}}`,
			into: &cobalt.PublicWorkflow{},
			want: &cobalt.PublicWorkflow{ID: "w1", Name: "n"},
		},
		"Execution": {
			text: `{"_id":"e1","status":"TIMED_OUT","associated_workflow":{"_id":"w1"},"createdAt":"2026-01-02T03:04:05Z","nodes":[1]}`,
			into: &cobalt.Execution{},
			want: &cobalt.Execution{ID: "e1", Status: "TIMED_OUT", WorkflowID: "w1", StartedAt: created, Logs: []json.RawMessage{raw("1")}},
		},
		"Execute": {text: `{"instanceId":"e1"}`, into: &cobalt.ExecuteResult{}, want: &cobalt.ExecuteResult{ExecutionID: "e1"}},
		"Event": {
			text: `{"message":"Webhook Fired Success"}`,
			into: &cobalt.EventResult{},
			want: &cobalt.EventResult{Message: "Webhook Fired Success"},
		},
		"Token": {
			text: `{"token":"t","expires_in":599747}`,
			into: &cobalt.SessionToken{},
			want: &cobalt.SessionToken{Token: "t", ExpiresIn: 599747 * time.Second},
		},
	} {
		if err := json.Unmarshal([]byte(tc.text), tc.into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, tc.into); diff != "" {
			t.Errorf("%s: differs (-want +got):\n%s", name, diff)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for want, words := range map[cobalt.Outcome][]string{
		cobalt.Completed: {"completed", "COMPLETED", " Completed "},
		cobalt.Failed:    {"failed", "ERRORED", "Timed Out", "timed-out", "STOPPED", "TERMINATED", "DUPLICATE"},
		cobalt.Open:      {"", "pending", "RUNNING", "Stopping", "QUEUED", "WAITING", "something new"},
	} {
		for _, word := range words {
			if got := (cobalt.Execution{Status: word}).Outcome(); got != want {
				t.Errorf("%q is %s, want %s", word, got, want)
			}
		}
	}
}
