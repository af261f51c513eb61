package cobalt_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit/clocktest"
)

// TestPrecondition: what changes something is not made, and takes no turn, while the precondition fails.
func TestPrecondition(t *testing.T) {
	t.Parallel()
	var methods []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method)
		_, _ = fmt.Fprint(w, `{"_id":"a","linked_account_id":"a"}`)
	}))
	defer server.Close()
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k", Limiter: ratelimit.New(1, 2, clocktest.New())})
	if err != nil {
		t.Fatal(err)
	}
	long := errors.New("long past")
	var result error
	ctx := cobalt.WithPrecondition(t.Context(), func(context.Context) error { return result })
	result = long
	for range 3 {
		if err := api.DeleteLinkedAccount(ctx, "a"); !errors.Is(err, long) {
			t.Errorf("the error is not that of the precondition: %v", err)
		}
	}
	if _, err := api.GetLinkedAccount(ctx, "a"); err != nil {
		t.Errorf("a call that only reads needs no precondition: %v", err)
	}
	result = nil
	if err := api.DeleteLinkedAccount(ctx, "a"); err != nil {
		t.Errorf("the precondition holds: %v", err)
	}
	if want := []string{http.MethodGet, http.MethodDelete}; !slices.Equal(methods, want) {
		t.Errorf("Cobalt was sent %v, want %v", methods, want)
	}
}
