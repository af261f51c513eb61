package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract/contracttest"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

var upsert = call{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"acme"}`}

func TestFaults(t *testing.T) {
	type seen struct {
		Status     int    // 0: no answer
		Type       string // of its content
		RetryAfter string
		Whole      bool // the body could be read to its end
		Done       bool // the account is there
	}
	const inJSON, inHTML = "application/json", "text/html; charset=utf-8"
	cases := map[string]struct {
		reason string
		fault  simulator.Fault
		want   seen
	}{
		"status":          {"an error in the place of the work", simulator.Fault{Status: 503}, seen{Status: 503, Type: inJSON, RetryAfter: "", Whole: true, Done: false}},
		"retry after":     {"throttled", simulator.Fault{Status: 429, RetryAfter: "7"}, seen{Status: 429, Type: inJSON, RetryAfter: "7", Whole: true, Done: false}},
		"gave up":         {"a gateway that gave up on work that was done", simulator.Fault{Status: 504, WorkDone: true}, seen{Status: 504, Type: inJSON, RetryAfter: "", Whole: true, Done: true}},
		"hang up before":  {"the connection breaks on the way there", simulator.Fault{HangUp: simulator.HangUpBefore}, seen{}},
		"hang up after":   {"the connection breaks on the way back", simulator.Fault{HangUp: simulator.HangUpAfter}, seen{Done: true}},
		"garbage":         {"a page of some proxy", simulator.Fault{Body: "<html>"}, seen{Status: 200, Type: inHTML, RetryAfter: "", Whole: true, Done: false}},
		"garbage in JSON": {"of another type and status", simulator.Fault{Body: "{]", ContentType: inJSON, Status: 502}, seen{Status: 502, Type: inJSON, RetryAfter: "", Whole: true, Done: false}},
		"truncated":       {"an answer that breaks off", simulator.Fault{Truncate: true}, seen{Status: 200, Type: inJSON, RetryAfter: "", Whole: false, Done: true}},
		"slow":            {"slow and then right", simulator.Fault{Delay: time.Millisecond}, seen{Status: 200, Type: inJSON, RetryAfter: "", Whole: true, Done: true}},
		"slow and broken": {"slow and then nothing", simulator.Fault{Delay: time.Millisecond, HangUp: simulator.HangUpAfter}, seen{Done: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			tc.fault.Operation, tc.fault.Times = "upsertLinkedAccount", 1
			w.Inject(tc.fault)
			var got seen
			answer, err := http.DefaultTransport.RoundTrip(w.request(upsert))
			if err == nil {
				_, broken := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				got = seen{Status: answer.StatusCode, Type: answer.Header.Get("Content-Type"), RetryAfter: answer.Header.Get("Retry-After"), Whole: broken == nil, Done: false}
			}
			got.Done = len(w.State("test").Accounts) == 1
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if log := w.Log(); len(log) != 1 || log[0].Status != got.Status {
				t.Errorf("log %+v, want the call with status %d", log, got.Status)
			}
			w.must(upsert) // once only
		})
	}
}

func TestTruncationBreaksEmptyAnswersToo(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	w.Inject(simulator.Fault{Truncate: true})
	answer, err := http.DefaultTransport.RoundTrip(w.request(call{method: "DELETE", path: "/public/linked-account/acme"}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.ReadAll(answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want an unexpected end", err)
	}
}

func TestFaultsHitWhatTheyMatch(t *testing.T) {
	other := call{method: "GET", path: "/public/linked-account"}
	cases := map[string]struct {
		reason string
		fault  simulator.Fault
		want   []int // of upsert, other, upsert
	}{
		"any":           {"without a filter, all", simulator.Fault{Status: 500}, []int{500, 500, 500}},
		"any, twice":    {"as often as it says", simulator.Fault{Status: 500, Times: 2}, []int{500, 500, 200}},
		"operation":     {"by operationId", simulator.Fault{Status: 500, Operation: "upsertLinkedAccount", Times: 1}, []int{500, 200, 200}},
		"method":        {"by method", simulator.Fault{Status: 500, Method: "GET"}, []int{200, 500, 200}},
		"path":          {"by the pattern of the contract", simulator.Fault{Status: 500, Path: "/public/linked-account/upsert"}, []int{500, 200, 500}},
		"other pattern": {"a pattern is not a prefix", simulator.Fault{Status: 500, Path: "/public/linked-account/{linked_account_id}"}, []int{200, 200, 200}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{})
			w.Inject(tc.fault)
			got := []int{w.send(upsert).status, w.send(other).status, w.send(upsert).status}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			w.ClearFaults()
			if got := w.send(upsert).status; got != 200 {
				t.Errorf("after clearing: got %d, want 200", got)
			}
			if calls := w.Calls()["upsertLinkedAccount"]; calls != 3 {
				t.Errorf("%d calls counted, want all 3", calls)
			}
		})
	}
}

func TestFaultsOfAnAccountHitCallsThatNameIt(t *testing.T) {
	const account = "/public/linked-account"
	w := newWorld(t, simulator.Options{})
	w.populate()
	token := withToken(w.token())
	w.must(call{method: "POST", path: account, body: `{"linked_account_id":"globex"}`})
	w.Inject(simulator.Fault{Account: "acme", Status: 503})
	for name, tc := range map[string]struct {
		reason string
		call   call
		want   int
	}{
		"path":         {"where the path names it", call{method: "GET", path: account + "/acme"}, 503},
		"other path":   {"and no other", call{method: "GET", path: account + "/globex"}, 200},
		"header":       {"where the header names it", call{method: "GET", path: "/public/config/all", account: "acme"}, 503},
		"other one":    {"and no other", call{method: "GET", path: "/public/config/all", account: "globex"}, 200},
		"optional":     {"also where it need not", call{method: "GET", path: "/public/application", account: "acme"}, 503},
		"none":         {"and does not", call{method: "GET", path: "/public/application"}, 200},
		"body":         {"where the body names it", call{method: "POST", path: account + "/upsert", body: `{"linked_account_id":"acme"}`}, 503},
		"other body":   {"and no other", call{method: "POST", path: account + "/upsert", body: `{"linked_account_id":"globex"}`}, 200},
		"no body":      {"what cannot be read names nobody", call{method: "POST", path: account + "/upsert", body: `{`}, 400},
		"token":        {"where the token is its own", call{method: "POST", path: "/public/workflow", header: token, body: `{"name":"x","nodes":[]}`}, 503},
		"bad token":    {"an unknown one is nobody's", call{method: "POST", path: "/public/workflow", header: withToken("x"), body: `{"name":"x","nodes":[]}`}, 401},
		"no account":   {"a list is about nobody", call{method: "GET", path: account}, 200},
		"stray header": {"not where the header says nothing", call{method: "GET", path: account + "/globex", account: "acme"}, 200},
	} {
		if got := w.send(tc.call).status; got != tc.want {
			t.Errorf("%s: got %d, want %d %s", name, got, tc.want, tc.reason)
		}
	}
}

func TestFaultsOfAnAccountAreCountedForIt(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Account: "acme", Status: 503, Times: 1})
	other := call{method: "POST", path: "/public/linked-account/upsert", body: `{"linked_account_id":"globex"}`}
	got := []int{w.send(other).status, w.send(upsert).status, w.send(upsert).status}
	if diff := cmp.Diff([]int{200, 503, 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFaultsComeInTheOrderOfInjection(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for _, status := range []int{500, 502, 503} {
		w.Inject(simulator.Fault{Status: status, Times: 1})
	}
	got := []int{w.send(upsert).status, w.send(upsert).status, w.send(upsert).status, w.send(upsert).status}
	if diff := cmp.Diff([]int{500, 502, 503, 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADelayEndsWhenTheCallerHangsUp(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.Inject(simulator.Fault{Delay: time.Hour, Times: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := http.DefaultTransport.RoundTrip(w.request(upsert).WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // there is none
		t.Fatalf("got %v, want the deadline", err)
	}
	if accounts := w.State("test").Accounts; len(accounts) > 0 {
		t.Errorf("got %v, want nothing done", accounts)
	}
	// The server waits for its calls when it is closed, so this test would
	// not end if the delay went on.
}

func TestUselessFaultsAreRefused(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"nothing":           {Operation: "getWebhook"},
		"unknown operation": {Operation: "getWebHook", Status: 500},
		"unknown path":      {Path: "/public/nowhere", Status: 500},
		"no such pair":      {Operation: "getWebhook", Method: "POST", Status: 500},
		"unknown hang-up":   {HangUp: "sometimes"},
		"no status":         {Status: 42},
		"negative":          {Status: 500, Times: -1},
		"no such account":   {Operation: "listLinkedAccounts", Account: "acme", Status: 500}, // it names none
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: injected", name)
				}
			}()
			simulator.New(simulator.Options{}).Inject(fault)
		}()
	}
}

func TestRateLimit(t *testing.T) {
	w := newWorld(t, simulator.Options{RequestsPerSecond: 0.4, Burst: 2})
	statuses := func(n int) []int {
		var got []int
		for range n {
			got = append(got, w.send(upsert).status)
		}
		return got
	}
	if diff := cmp.Diff([]int{200, 200, 429, 429}, statuses(4)); diff != "" {
		t.Errorf("at once (-want +got):\n%s", diff)
	}
	if got := w.send(upsert).header.Get("Retry-After"); got != "3" {
		t.Errorf("Retry-After %q, want 2.5 s rounded up", got)
	}
	if got := w.send(call{method: "GET", path: "/public/linked-account", header: map[string]string{"x-api-key": rotatedKey}}).status; got != 429 {
		t.Errorf("another key of the same environment: got %d, want 429", got)
	}
	if got := w.send(call{method: "GET", path: "/public/linked-account", header: map[string]string{"x-api-key": productionKey}}).status; got != 200 {
		t.Errorf("another environment: got %d, want 200", got)
	}
	w.Advance(3 * time.Second)
	if diff := cmp.Diff([]int{200, 429}, statuses(2)); diff != "" {
		t.Errorf("after waiting (-want +got):\n%s", diff)
	}
}

func TestConcurrentCalls(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	client := &http.Client{Transport: contracttest.Transport(t, http.DefaultTransport)}
	paths := []string{"/public/linked-account/acme", "/public/config/acme", "/public/config/all", "/public/execution", "/public/application"}
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			c := call{method: "GET", path: paths[i%len(paths)], account: "acme"}
			if i%4 == 0 {
				c = call{method: "POST", path: "/public/event/deal-created", account: "acme", body: `{"event":"Deal Created"}`}
			}
			answer, err := client.Do(w.request(c))
			if err != nil {
				t.Error(err)
				return
			}
			_ = answer.Body.Close()
			_, _ = w.State("test"), w.Log()
		})
	}
	group.Wait()
	if got := len(w.State("test").Executions); got != 10 {
		t.Errorf("%d executions, want 10", got)
	}
}

func TestLogSaysWhatWasCalled(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.send(upsert)
	w.Advance(time.Second)
	w.send(call{method: "GET", path: "/public/linked-account/a%20b"})
	w.send(call{method: "GET", path: "/public/webhook", account: "acme", header: map[string]string{"x-api-key": "guess"}})
	w.Inject(simulator.Fault{Operation: "getWebhook", Status: 503})
	w.send(call{method: "GET", path: "/public/webhook", account: "acme"})
	start := w.Now().Add(-time.Second)
	want := []simulator.Call{
		{Operation: "upsertLinkedAccount", Method: "POST", Path: "/api/v2/public/linked-account/upsert", Environment: "test", LinkedAccountID: "acme", Status: 200, Time: start},
		{Operation: "getLinkedAccount", Method: "GET", Path: "/api/v2/public/linked-account/a%20b", Environment: "test", LinkedAccountID: "a b", Status: 404, Time: w.Now()},
		{Operation: "getWebhook", Method: "GET", Path: "/api/v2/public/webhook", Status: 401, Time: w.Now()},
		{Operation: "getWebhook", Method: "GET", Path: "/api/v2/public/webhook", LinkedAccountID: "acme", Status: 503, Time: w.Now()},
	}
	if diff := cmp.Diff(want, w.Log()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.ResetCalls()
	if len(w.Log()) > 0 || len(w.Calls()) > 0 {
		t.Errorf("after a reset: %v, %v", w.Log(), w.Calls())
	}
}

func TestServesTheContract(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	answer, err := http.DefaultClient.Do(w.request(call{method: "GET", path: "/openapi.yaml"}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || !strings.HasPrefix(string(body), "openapi: 3.1") {
		t.Errorf("got %d, %v, %.40s", answer.StatusCode, err, body)
	}
}
