package cobalt_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit/clocktest"
)

// TestAdmission: the turn that was waited for is that of the next call, and of no other.
func TestAdmission(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"_id":"a","linked_account_id":"a"}`)
	}))
	defer server.Close()
	clock := clocktest.New()
	var heldBack []time.Duration
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k", Limiter: ratelimit.New(1, 1, clock),
		HeldBack: func(wait time.Duration) { heldBack = append(heldBack, wait) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := api.Admit(ratelimit.WithCaller(t.Context(), ratelimit.Foreground, "one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Admit(ratelimit.WithCaller(t.Context(), ratelimit.Foreground, "two")); !cobalt.IsThrottled(err) {
		t.Errorf("the one token is taken, but another was admitted: %v", err)
	}
	if _, err := api.GetLinkedAccount(ctx, "a"); err != nil {
		t.Errorf("an admitted call was held back: %v", err)
	}
	if _, err := api.GetLinkedAccount(ctx, "a"); !cobalt.IsThrottled(err) {
		t.Errorf("an admission counted twice: %v", err)
	}
	// Who has begun keeps its place before those who came meanwhile, so each was told of the next turn.
	if len(heldBack) != 2 || heldBack[0] <= 0 || heldBack[1] != heldBack[0] {
		t.Errorf("two calls were put off until the next turn, but HeldBack was told %v", heldBack)
	}
	clock.Move(time.Minute)
	if _, err := api.GetLinkedAccount(ratelimit.WithCaller(t.Context(), ratelimit.Foreground, "one"), "a"); err != nil {
		t.Error(err)
	}
}

// TestProbeOvertakes: a probe goes before all that wait for their turn, but not while the API wants a pause.
func TestProbeOvertakes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"_id":"a","linked_account_id":"a"}`)
	}))
	defer server.Close()
	limiter := ratelimit.New(1, 1, clocktest.New())
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k", Limiter: limiter})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two", "three"} {
		_, err = api.GetLinkedAccount(ratelimit.WithCaller(t.Context(), ratelimit.Foreground, name), "a")
	}
	held, ok := errors.AsType[*cobalt.ThrottledError](err)
	if !ok || held.AskedByAPI() {
		t.Fatalf("the third was to wait for its turn: %v", err)
	}
	ctx, err := api.AtOnce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.GetLinkedAccount(ctx, "a"); err != nil {
		t.Errorf("the probe waits with the others: %v", err)
	}
	if _, err := api.GetLinkedAccount(ctx, "a"); !cobalt.IsThrottled(err) {
		t.Errorf("what comes after it was to wait: %v", err)
	}
	limiter.Throttled(time.Minute)
	_, err = api.AtOnce(t.Context())
	if held, ok := errors.AsType[*cobalt.ThrottledError](err); !ok || !held.AskedByAPI() || held.After != time.Minute {
		t.Errorf("the API has asked for a minute: %v", err)
	}
}

// TestListOutlastsTheLimiter: a list of more pages than tokens must come to its
// end, each page once.
func TestListOutlastsTheLimiter(t *testing.T) {
	t.Parallel()
	const pages = 30
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		answer(200, fmt.Sprintf(`{"docs":[{"_id":"a%d"}],"page":%d,"totalPages":%d}`, asked, asked, pages))(w, r)
	}))
	t.Cleanup(server.Close)
	c := connect(t, cobalt.Options{BaseURL: server.URL, Limiter: ratelimit.New(2, 4, clocktest.New())})
	count := 0
	for _, err := range c.ListLinkedAccounts(t.Context()) {
		if err != nil {
			t.Fatalf("after %d accounts: %v", count, err)
		}
		count++
	}
	if count != pages || asked != pages {
		t.Errorf("%d accounts in %d calls, want %d of each", count, asked, pages)
	}
}

// TestListDoesNotSleepThroughRetryAfter: somebody who waits for an hour between two
// pages would keep all others waiting who need the list.
func TestListDoesNotSleepThroughRetryAfter(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	limiter := ratelimit.New(10, 4, clock)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limiter.Throttled(time.Hour) // as the API asks somebody else meanwhile
		answer(200, `{"docs":[{"_id":"1"}],"hasNextPage":true}`)(w, r)
	}))
	t.Cleanup(server.Close)
	err := last(connect(t, cobalt.Options{BaseURL: server.URL, Limiter: limiter}).ListLinkedAccounts(t.Context()))
	if !cobalt.IsThrottled(err) || cobalt.RetryAfter(err) < 59*time.Minute {
		t.Errorf("the list ended with %v, want to be told to come back in an hour", err)
	}
	if clock.Slept() > 30*time.Second {
		t.Errorf("it slept for %s", clock.Slept())
	}
}
