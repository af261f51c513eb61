package cobalt_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// TestAdmission: the turn that was waited for is that of the next call, and of no other.
func TestAdmission(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"_id":"a","linked_account_id":"a"}`)
	}))
	defer server.Close()
	clock := newClock()
	var heldBack []time.Duration
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k", Limiter: cobalt.NewLimiter(1, 1, clock),
		HeldBack: func(wait time.Duration) { heldBack = append(heldBack, wait) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := api.Admit(cobalt.WithCaller(t.Context(), cobalt.Foreground, "one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Admit(cobalt.WithCaller(t.Context(), cobalt.Foreground, "two")); !cobalt.IsThrottled(err) {
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
	clock.move(time.Minute)
	if _, err := api.GetLinkedAccount(cobalt.WithCaller(t.Context(), cobalt.Foreground, "one"), "a"); err != nil {
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
	limiter := cobalt.NewLimiter(1, 1, newClock())
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k", Limiter: limiter})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two", "three"} {
		_, err = api.GetLinkedAccount(cobalt.WithCaller(t.Context(), cobalt.Foreground, name), "a")
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
