package cobalt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit/clocktest"
)

// answer is a server's whole behavior.
func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangUp closes the connection after it has read the request and written start.
func hangUp(start string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, start)
		_ = conn.Close()
	}
}

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// meaning is what the predicates say.
type meaning struct {
	NotFound, Rejected, Unauthorized, Throttled, Busy, Failing, Unknown bool

	After time.Duration
}

func meaningOf(err error) meaning {
	return meaning{
		NotFound: cobalt.IsNotFound(err), Rejected: cobalt.IsRejected(err), Unauthorized: cobalt.IsUnauthorized(err),
		Throttled: cobalt.IsThrottled(err), Busy: cobalt.IsBusy(err), Failing: cobalt.IsFailing(err), Unknown: cobalt.OutcomeUnknown(err),
		After: cobalt.RetryAfter(err),
	}
}

func upsert(ctx context.Context, c *cobalt.Client) error {
	_, err := c.UpsertLinkedAccount(ctx, cobalt.LinkedAccountInput{ID: "acme", YourApp: map[string]any{"token": "hunter2-secret"}})
	return err
}

func getAccount(ctx context.Context, c *cobalt.Client) error {
	_, err := c.GetLinkedAccount(ctx, "acme")
	return err
}

func TestErrors(t *testing.T) {
	t.Parallel()
	rejected, unusable := meaning{Rejected: true}, meaning{Failing: true, Unknown: true}
	missing := meaning{Rejected: true, NotFound: true}
	const page = "<!DOCTYPE html><html>Welcome"
	for name, tc := range map[string]struct {
		reason string
		serve  http.HandlerFunc
		call   func(context.Context, *cobalt.Client) error // default: upsert
		want   string
		means  meaning
	}{
		"Code": {
			reason: "the API's own code is the one in error_code",
			serve: answer(400, `{"status_code":400,"http_error_type":"BAD_REQUEST","error_code":"VALIDATION_ERROR",`+
				`"message":"name is too long","request_id":"r1"}`),
			want: "upsertLinkedAccount: 400 VALIDATION_ERROR: name is too long", means: rejected,
		},
		"CodeInError": {
			reason: "some answers have the code in error",
			serve:  answer(400, `{"status_code":400,"http_error_type":"BAD_REQUEST","error":"VALIDATION_ERROR","message":"m"}`),
			want:   "upsertLinkedAccount: 400 VALIDATION_ERROR: m", means: rejected,
		},
		"CodeSwapped": {
			reason: "some answers have code and type swapped",
			serve:  answer(400, `{"error_code":"BAD_REQUEST","http_error_type":"INVALID_LINKED_ACCOUNT_ID","message":"m"}`),
			want:   "upsertLinkedAccount: 400 INVALID_LINKED_ACCOUNT_ID: m", means: rejected,
		},
		"OnlyType": {
			reason: "a type is better than nothing",
			serve:  answer(403, `{"error_type":"FORBIDDEN","message":"m"}`),
			want:   "upsertLinkedAccount: 403 FORBIDDEN: m", means: rejected,
		},
		"HumanError": {
			reason: "error may be the words, and message say nothing",
			serve:  answer(400, `{"message":"Server Error","error":"slug is required"}`),
			want:   "upsertLinkedAccount: 400 Bad Request: slug is required", means: rejected,
		},
		"NoMessage": {
			reason: "an error may have no body",
			serve:  answer(422, ""),
			want:   "upsertLinkedAccount: 422 Unprocessable Entity",
			means:  rejected,
		},
		"NotJSON": {
			reason: "what is no envelope is not repeated",
			serve:  answer(502, "upstream 10.0.0.7 died"),
			want:   "upsertLinkedAccount: 502 Bad Gateway",
			means:  unusable,
		},
		"Nested": {
			reason: "error may be an object",
			serve:  answer(409, `{"error":{"code":"CONFLICT_ID","message":"m"}}`),
			want:   "upsertLinkedAccount: 409 CONFLICT_ID: m",
			means:  meaning{Busy: true},
		},
		"Unauthorized": {
			reason: "401 is the key's fault",
			serve:  answer(401, `{"error":"INVALID_TOKEN"}`),
			want:   "upsertLinkedAccount: 401 INVALID_TOKEN",
			means:  meaning{Unauthorized: true},
		},
		"Timeout408": {
			reason: "the server gave up waiting, perhaps after acting",
			serve:  answer(408, ""),
			want:   "upsertLinkedAccount: 408 Request Timeout",
			means:  unusable,
		},
		"TooEarly": {reason: "425 asks to send it again", serve: answer(425, ""), want: "upsertLinkedAccount: 425 Too Early"},
		"Throttled": {
			reason: "429 says when to come back", serve: answer(429, "", "Retry-After", "7"),
			want: "upsertLinkedAccount: 429 Too Many Requests", means: meaning{Throttled: true, After: 7 * time.Second},
		},
		"ThrottledForLong": {
			reason: "nobody waits longer than an hour", serve: answer(429, "", "Retry-After", "86400"),
			want: "upsertLinkedAccount: 429 Too Many Requests", means: meaning{Throttled: true, After: time.Hour},
		},
		"ThrottledUntil": {
			reason: "Retry-After may be a date", serve: answer(429, "", "Retry-After", "Fri, 01 Jan 2106 00:00:00 GMT"),
			want: "upsertLinkedAccount: 429 Too Many Requests", means: meaning{Throttled: true, After: time.Hour},
		},
		"ThrottledOddly": {
			reason: "what is neither is nothing", serve: answer(429, "", "Retry-After", "NaN"),
			want: "upsertLinkedAccount: 429 Too Many Requests", means: meaning{Throttled: true},
		},
		"Unavailable": {
			reason: "a 503 may say when to come back", serve: answer(503, "", "Retry-After", "2"),
			want:  "upsertLinkedAccount: 503 Service Unavailable",
			means: meaning{Throttled: true, Failing: true, Unknown: true, After: 2 * time.Second},
		},
		"NotFound": {reason: "404 on a read", serve: answer(404, ""), call: getAccount, want: "getLinkedAccount: 404 Not Found", means: missing},
		"MissingHeader": {
			reason: "this 404 is about the request", serve: answer(404, `{"error_code":"MISSING_REQUIRED_FIELD","message":"m"}`),
			call: getAccount, want: "getLinkedAccount: 404 MISSING_REQUIRED_FIELD: m", means: rejected,
		},
		"MissingApplication": {
			reason: "this 404 is about the application, which may return", serve: answer(404, `{"error":"INVALID_APP_ID"}`),
			call: getAccount, want: "getLinkedAccount: 404 INVALID_APP_ID", means: rejected,
		},
		"NotFoundPage": {
			reason: "a proxy's page says nothing about the object", serve: answer(404, page, "Content-Type", "text/html"), call: getAccount,
			want: "getLinkedAccount: 404 Not Found: the answer is an HTML page: is the base URL right?", means: unusable,
		},
		"NotFound400": {
			reason: "some dialects say so with 400", serve: answer(400, `{"error":"RESOURCE_NOT_FOUND","message":"Webhook not found"}`),
			want: "upsertLinkedAccount: 400 RESOURCE_NOT_FOUND: Webhook not found", means: missing,
		},
		"NotFound500": {
			reason: "or with 500 and words", serve: answer(500, `{"message":"Linked account acme not found"}`), call: getAccount,
			want:  "getLinkedAccount: 500 Internal Server Error: Linked account acme not found",
			means: meaning{NotFound: true, Failing: true, Unknown: true},
		},
		"NotFoundElse500": {
			reason: "but of the object itself", serve: answer(500, `{"message":"Application for linked account not found"}`), call: getAccount,
			want: "getLinkedAccount: 500 Internal Server Error: Application for linked account not found", means: unusable,
		},
		"OK200WithError": {
			reason: "migrateToken fails with status 200", serve: answer(200, `{"error":"custom apps are refused"}`),
			call: func(ctx context.Context, c *cobalt.Client) error { return c.MigrateToken(ctx, "acme", "x", raw(`{}`)) },
			want: "migrateToken: 200 OK: custom apps are refused", means: rejected,
		},
		"Page": {
			reason: "a login page is not an answer", serve: answer(200, page, "Content-Type", "text/html; charset=utf-8"),
			want: "the answer to upsertLinkedAccount is an HTML page, not JSON: is the base URL right?", means: unusable,
		},
		"PageOnDelete": {
			reason: "nor proof of a deletion", serve: answer(200, page),
			call: func(ctx context.Context, c *cobalt.Client) error { return c.DeleteLinkedAccount(ctx, "acme") },
			want: "the answer to deleteLinkedAccount is an HTML page, not JSON: is the base URL right?", means: unusable,
		},
		"Text": {
			reason: "an answer is JSON",
			serve:  answer(200, "ok"),
			want:   "the answer to upsertLinkedAccount is not JSON",
			means:  unusable,
		},
		"Number": {
			reason: "and of the right kind",
			serve:  answer(200, "42"),
			want:   "the answer to upsertLinkedAccount is not a JSON object",
			means:  unusable,
		},
		"Empty": {reason: "and there", serve: answer(200, ""), want: "the answer to upsertLinkedAccount is empty", means: unusable},
		"Truncated": {
			reason: "and whole",
			serve:  answer(200, `{"_id":"a`),
			want:   "the answer to upsertLinkedAccount breaks off",
			means:  unusable,
		},
		"CutOff": {
			reason: "also on the wire", serve: hangUp("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"_id\""),
			want: "the answer to upsertLinkedAccount breaks off", means: unusable,
		},
		"Huge": {
			reason: "and of bounded size", serve: answer(200, `"`+strings.Repeat("x", 9<<20)+`"`),
			want: "the answer to upsertLinkedAccount is larger than 8 MiB", means: unusable,
		},
		"NoToken": {
			reason: "a session token without a token is none", serve: answer(200, `{}`),
			call: func(ctx context.Context, c *cobalt.Client) error {
				_, err := c.CreateSessionToken(ctx, "acme")
				return err
			},
			want: "the answer to createSessionToken has no token", means: unusable,
		},
		"NoWebhook": {
			reason: "no webhook is a missing one", serve: answer(200, `[]`),
			call: func(ctx context.Context, c *cobalt.Client) error { _, err := c.GetWebhook(ctx, "acme"); return err },
			want: "getWebhook: 404 Not Found: there is no webhook", means: missing,
		},
		"HangUp": {
			reason: "it may have acted before it hung up",
			serve:  hangUp(""),
			want:   "upsertLinkedAccount: no answer: the connection was closed",
			means:  unusable,
		},
		"TimeOut": {reason: "or still be at it", serve: hang, want: "upsertLinkedAccount: timed out after 100ms", means: unusable},
		"Redirect": {
			reason: "a write is never sent elsewhere", serve: answer(307, "", "Location", "https://evil.example/x?key=1"),
			want: "upsertLinkedAccount: 307 Temporary Redirect: a redirect to https://evil.example is not followed",
		},
		"RedirectAfterwards": {
			reason: "a 303 may follow work done", serve: answer(303, "", "Location", "/done"), means: meaning{Unknown: true},
			want: "upsertLinkedAccount: 303 See Other: a redirect to SERVER is not followed",
		},
		"RedirectOfRead": {
			reason: "the key stays home", serve: answer(302, "", "Location", "https://evil.example/"), call: getAccount,
			means: meaning{Unknown: true},
			want:  "getLinkedAccount: 302 Found: a redirect to https://evil.example is not followed",
		},
		"RedirectLoop": {
			reason: "and reads do not run in circles", serve: answer(302, "", "Location", "/api"), call: getAccount, means: meaning{Unknown: true},
			want: "getLinkedAccount: 302 Found: a redirect to SERVER is not followed",
		},
		"Cleaned": {
			reason: "messages neither vary nor tell secrets",
			serve: answer(400, fmt.Sprintf(`{"message":"key %s and hunter2-secret\r\n\u001b[31m at 2026-01-02T03:04:05.123Z in `+
				`5b0e6d4e-9d3b-4a55-8c8e-0123456789ab of 66aa01bb02cc03dd04ee %s","request_id":"r-%[1]s"}`, key, strings.Repeat("long ", 100))),
			want: "upsertLinkedAccount: 400 Bad Request: " +
				string([]rune("key [redacted] and [redacted] [31m at … in … of … " + strings.Repeat("long ", 100))[:199]) + "…",
			means: rejected,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tc.serve)
			t.Cleanup(server.Close)
			o := cobalt.Options{BaseURL: server.URL}
			if name == "TimeOut" {
				o.Timeout = 100 * time.Millisecond
			}
			if tc.call == nil {
				tc.call = upsert
			}
			err := tc.call(t.Context(), connect(t, o))
			if err == nil {
				t.Fatalf("%s: want an error", tc.reason)
			}
			if diff := cmp.Diff(strings.ReplaceAll(tc.want, "SERVER", server.URL), err.Error()); diff != "" {
				t.Errorf("%s: the text differs (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.means, meaningOf(err)); diff != "" {
				t.Errorf("%s: the meaning differs (-want +got):\n%s", tc.reason, diff)
			}
			for _, text := range []string{fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				if strings.Contains(text, key) || strings.Contains(text, "hunter2") {
					t.Errorf("%s: a secret in %s", tc.reason, text)
				}
			}
		})
	}
}

func TestErrorsBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail on purpose
	secure.StartTLS()
	t.Cleanup(secure.Close)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	busy := ratelimit.New(1, 1, clocktest.New())
	_ = busy.Wait(t.Context())

	for name, tc := range map[string]struct {
		ctx     context.Context
		options cobalt.Options
		want    string
		means   meaning
	}{
		"Refused": {
			options: cobalt.Options{BaseURL: closed.URL},
			want:    "upsertLinkedAccount: could not connect: connection refused",
			means:   meaning{Failing: true},
		},
		"Untrusted": {
			options: cobalt.Options{BaseURL: secure.URL},
			want:    "upsertLinkedAccount: could not connect: tls: failed to verify certificate: x509: certificate signed by unknown authority",
			means:   meaning{Failing: true},
		},
		"Canceled": {ctx: canceled, options: cobalt.Options{BaseURL: closed.URL}, want: "upsertLinkedAccount: given up: context canceled"},
		"Held": {
			options: cobalt.Options{BaseURL: closed.URL, Limiter: busy},
			want:    "upsertLinkedAccount: held back by the rate limit", means: meaning{Throttled: true, After: time.Second + time.Microsecond},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.ctx == nil {
				tc.ctx = t.Context()
			}
			err := upsert(tc.ctx, connect(t, tc.options))
			if diff := cmp.Diff(tc.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("the text differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.means, meaningOf(err)); diff != "" {
				t.Errorf("the meaning differs (-want +got):\n%s", diff)
			}
		})
	}
	if err := upsert(t.Context(), connect(t, cobalt.Options{BaseURL: closed.URL})); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the cause of %v is lost", err)
	}
	if diff := cmp.Diff(meaning{}, meaningOf(nil)); diff != "" {
		t.Errorf("no error means something:\n%s", diff)
	}
}

func TestRunsAreResultsWhateverTheirStatus(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(answer(500, `{"execution_id":"e1","error":"the workflow said so"}`))
	t.Cleanup(server.Close)
	got, err := connect(t, cobalt.Options{BaseURL: server.URL}).ExecuteWorkflow(t.Context(), "acme", "w1", nil)
	if diff := cmp.Diff(&cobalt.ExecuteResult{ExecutionID: "e1"}, got); diff != "" || err != nil {
		t.Errorf("error %v, result differs (-want +got):\n%s", err, diff)
	}
}

func TestLimiterHearsOfThrottling(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]float64{429: 5, 503: 10, 200: 10} {
		server := httptest.NewServer(answer(status, "{}", "Retry-After", "9"))
		t.Cleanup(server.Close)
		limiter := ratelimit.New(10, 4, clocktest.New())
		c := connect(t, cobalt.Options{BaseURL: server.URL, Limiter: limiter})
		_ = upsert(t.Context(), c)
		if now, _ := limiter.Rate(); now != want {
			t.Errorf("after a %d: rate %v, want %v", status, now, want)
		}
		if held := limiter.Wait(t.Context()) != nil; held != (status != 200) {
			t.Errorf("after a %d: held back %v", status, held)
		}
	}
}

// TestLimiterDoesNotHearOfResults: a workflow may set the status and headers of its answer.
func TestLimiterDoesNotHearOfResults(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503} {
		server := httptest.NewServer(answer(status, `{"execution_id":"e1"}`, "Retry-After", "3600"))
		t.Cleanup(server.Close)
		limiter := ratelimit.New(10, 4, clocktest.New())
		if err := execute(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL, Limiter: limiter})); err != nil {
			t.Errorf("%d: %v, want a result", status, err)
		}
		if now, _ := limiter.Rate(); now != 10 || limiter.Wait(t.Context()) != nil {
			t.Errorf("after a %d with a result: rate %v, or held back", status, now)
		}
	}
}

func TestWritesAreSentOnce(t *testing.T) {
	t.Parallel()
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if count++; count == 1 {
			answer(200, `{"_id":"a1"}`)(w, r)
			return
		}
		hangUp("")(w, r) // on a connection that was good before, where net/http likes to try again
	}))
	t.Cleanup(server.Close)
	c := connect(t, cobalt.Options{BaseURL: server.URL})
	if err := upsert(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := upsert(t.Context(), c); !cobalt.OutcomeUnknown(err) {
		t.Errorf("after a hang-up: %v, want an unknown outcome", err)
	}
	if count != 2 {
		t.Errorf("the server saw %d calls, want 2", count)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	options := cobalt.Options{BaseURL: "https://api.example", APIKey: key}
	c := connect(t, options)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{c, *c, options, &options, cobalt.SessionToken{Token: key}, &cobalt.SessionToken{Token: key}, []any{*c}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, key) {
				t.Errorf("%s of a %T prints %s", verb, value, text)
			}
		}
	}
	var buffer bytes.Buffer
	_, _ = fmt.Fprint(&buffer, c, options)
	if strings.Contains(buffer.String(), key) {
		t.Errorf("Fprint prints %s", &buffer)
	}
}
