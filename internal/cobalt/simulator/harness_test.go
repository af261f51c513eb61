package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract/contracttest"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

const (
	testKey       = "key-of-test"
	rotatedKey    = "other-key-of-test"
	productionKey = "key-of-production"
)

// clock is a time that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a simulator that listens, and a time that the test moves.
type world struct {
	*simulator.Server
	*clock
	t   *testing.T
	url string
}

func newWorld(t *testing.T, options simulator.Options) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	options.Now = c.Now
	options.Keys = map[string]string{testKey: "test", rotatedKey: "test", productionKey: "production"}
	server := simulator.New(options)
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	return &world{Server: server, clock: c, t: t, url: listening.URL}
}

// call is a request to the API; by default one with the key of the test
// environment.
type call struct {
	method, path string
	account      string // header linked_account_id
	body         string
	header       map[string]string // further headers; an empty value removes one
}

type result struct {
	status int
	header http.Header
	body   string
}

// object is the body, which has to be a JSON object.
func (r result) object(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(r.body), &object); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return object
}

// send sends a call and checks the answer, but not the request, against the
// contract.
func (w *world) send(c call) result {
	w.t.Helper()
	r := w.request(c)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if answer.Header.Get(simulator.FaultHeader) == "" {
		if err := contracttest.CheckResponse(r, answer.StatusCode, answer.Header, body); err != nil {
			w.t.Error(err)
		}
	}
	return result{status: answer.StatusCode, header: answer.Header, body: string(body)}
}

func (w *world) request(c call) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), c.method, w.url+simulator.BasePath+c.path, strings.NewReader(c.body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("x-api-key", testKey)
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.account != "" {
		r.Header.Set("linked_account_id", c.account)
	}
	for key, value := range c.header {
		r.Header.Set(key, value)
		if value == "" {
			r.Header.Del(key)
		}
	}
	return r
}

// must sends a call that has to conform to the contract and to succeed.
func (w *world) must(c call) result {
	w.t.Helper()
	if err := contracttest.CheckRequest(w.request(c), []byte(c.body)); err != nil {
		w.t.Error(err)
	}
	got := w.send(c)
	if got.status != http.StatusOK {
		w.t.Fatalf("%s %s: status %d, want 200: %s", c.method, c.path, got.status, got.body)
	}
	return got
}

// populate makes the account acme with a config of hubspot.
func (w *world) populate() {
	w.t.Helper()
	w.must(call{method: "POST", path: "/public/linked-account", body: `{"linked_account_id":"acme","name":"Acme","your_app":{"tier":"gold","seats":3}}`})
	w.must(call{method: "POST", path: "/public/config", account: "acme", body: `{"slug":"hubspot"}`})
}

// bothWays runs a test on a populated world where writes merge and where they replace.
func bothWays(t *testing.T, test func(t *testing.T, w *world)) {
	for name, replace := range map[string]bool{"merge": false, "replace": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, simulator.Options{Replace: replace})
			w.populate()
			test(t, w)
		})
	}
}

// token mints a session token for acme.
func (w *world) token() string {
	w.t.Helper()
	got := w.must(call{method: "POST", path: "/public/session-token", body: `{"linked_account_id":"acme"}`})
	return got.object(w.t)["token"].(string)
}

// withToken is the headers of a call made with a session token.
func withToken(token string) map[string]string {
	return map[string]string{"x-api-key": "", "Authorization": token}
}

// client does not follow redirects.
func (w *world) client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// unexported lets cmp compare a State, which keeps some of its parts private.
var unexported = cmpopts.IgnoreUnexported(simulator.Config{})
