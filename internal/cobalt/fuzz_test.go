package cobalt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// answering is a transport that answers every request alike, and keeps the last.
type answering struct {
	status      int
	header      http.Header
	body        []byte
	last        *http.Request
	sent        []byte
	transported int
}

func (a *answering) RoundTrip(request *http.Request) (*http.Response, error) {
	a.last, a.transported = request, a.transported+1
	if request.Body != nil {
		a.sent, _ = io.ReadAll(request.Body)
	}
	return &http.Response{
		StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: request,
	}, nil
}

const fuzzedKey = "key-hunter2-of-the-fuzz"

func fuzzed(t *testing.T, answer *answering) *cobalt.Client {
	t.Helper()
	api, err := cobalt.New(cobalt.Options{BaseURL: "https://api.example", APIKey: fuzzedKey, Transport: answer})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// FuzzAnswer: whatever the API answers, a call ends in a value or in an error that
// fits on one line of a status and has no secret in it.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `{"_id":"1","linked_account_id":"acme"}`, `[{"slug":"hubspot"}]`,
		`{"docs":[{"_id":"1"}],"page":1,"totalPages":3,"hasNextPage":true}`, `{"docs":[],"limit":1e999}`,
		`{"execution_id":7}`, `{"data":{"executionId":"x"}}`, `<html>no</html>`, `{"error":{"code":"X","message":"key-hunter2-of-the-fuzz"}}`,
		`{"message":"\u0000\n\u2028","error_code":"VALIDATION_ERROR"}`, `{"token":"a.e30.c","expires_in":-1}`, strings.Repeat(`[`, 20000), strings.Repeat(`{"docs":`, 20000), strings.Repeat(`[{"a":`, 20000), `{"webhook_events":[1,null,"a"]}`,
	} {
		f.Add(200, "application/json", "", []byte(body))
		f.Add(400, "application/json", "-1e999", []byte(body))
		f.Add(503, "text/html", "Wed, 21 Oct 2015 07:28:00 GMT", []byte(body))
	}
	for _, header := range []string{"NaN", "1e18", "/x", "https://a\tb/?key-hunter2-of-the-fuzz", "//\x00", "https://key-hunter2-of-the-fuzz@b", ":"} {
		f.Add(302, "", header, []byte{})
		f.Add(429, "", header, []byte{})
	}
	f.Fuzz(func(t *testing.T, status int, contentType, header string, body []byte) {
		if status < 200 || status > 599 || len(body) > 1<<16 {
			t.Skip("a transport gives no such answer")
		}
		answer := &answering{status: status, body: body, header: http.Header{
			"Content-Type": {contentType}, "Retry-After": {header}, "Location": {header},
		}}
		for _, err := range callAll(t.Context(), fuzzed(t, answer)) {
			if err == nil {
				continue
			}
			text := err.Error()
			if strings.Contains(text, fuzzedKey) || strings.ContainsAny(text, "\n\r\t\x00") || !utf8.ValidString(text) || len(text) > 1024 {
				t.Errorf("not a text for a status: %q", text)
			}
			if wait := cobalt.RetryAfter(err); wait < 0 || wait > time.Hour {
				t.Errorf("%q has it wait for %s", header, wait)
			}
		}
	})
}

// callAll makes a call of each shape of answer.
func callAll(ctx context.Context, api *cobalt.Client) []error {
	var errs []error
	add := func(_ any, err error) { errs = append(errs, err) }
	add(api.GetLinkedAccount(ctx, "acme"))
	add(api.UpsertConfig(ctx, "acme", "hubspot", ""))
	add(api.GetWebhook(ctx, "acme"))
	add(api.CreateSessionToken(ctx, "acme"))
	add(api.CreateHostedPortalURL(ctx, "acme"))
	add(api.CreatePublicWorkflow(ctx, "session", cobalt.WorkflowInput{Name: "x"}))
	add(api.TriggerEvent(ctx, "acme", "deal", cobalt.EventInput{}))
	add(api.ExecuteWorkflow(ctx, "acme", "w", nil))
	add(api.GetExecution(ctx, "acme", "e"))
	add(api.GetRuleEngineOptions(ctx, "acme", "c"))
	add(nil, api.DeleteLinkedAccount(ctx, "acme"))
	add(nil, api.MigrateToken(ctx, "acme", "hubspot", json.RawMessage(`{}`)))
	pages := 0
	for _, err := range api.ListLinkedAccounts(ctx) {
		if err != nil {
			errs = append(errs, err)
		}
		if pages++; pages > 1000 { // an answer that always has a next page goes on for ever
			break
		}
	}
	return errs
}

// FuzzID: an id is refused before anything is sent, or comes as exactly itself, in
// one element of the path and one line of the header.
func FuzzID(f *testing.F) {
	for _, id := range []string{
		"acme", "a/b", "..", "a b", "a%2fb", "a\r\nX-Api-Key: other", "a?b", "a#b", "all", "upsert", "é", "", " a", "a;b", "a&b=c", `a"b`, "a\\b", "{}", "a:b", "~", "@", "%",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		answer := &answering{status: http.StatusOK, header: http.Header{}, body: []byte(`{}`)}
		api := fuzzed(t, answer)
		_, err := api.GetConfig(t.Context(), id, id)
		if (answer.transported == 0) != cobalt.IsInvalidID(err) {
			t.Fatalf("%q: sent %d, and %v", id, answer.transported, err)
		}
		if answer.transported == 0 {
			return
		}
		if got := answer.last.Header.Values("Linked_account_id"); len(got) != 1 || got[0] != id {
			t.Errorf("the header says %q, not %q", got, id)
		}
		elements := strings.Split(answer.last.URL.EscapedPath(), "/")
		if last, err := url.PathUnescape(elements[len(elements)-1]); err != nil || last != id {
			t.Errorf("the path ends in %q, not %q", last, id)
		}
		if answer.last.URL.RawQuery != "" || answer.last.URL.Fragment != "" || answer.last.URL.Host != "api.example" {
			t.Errorf("%q leads to %s", id, answer.last.URL)
		}
	})
}
