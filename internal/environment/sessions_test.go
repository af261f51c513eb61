package environment

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// TestSessions: a token is minted once for an account, and anew before it ends,
// when the account was made again, and after it was refused.
func TestSessions(t *testing.T) {
	t.Parallel()
	minted := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		minted++
		_, _ = fmt.Fprintf(w, `{"token":"token-%d","expires_in":86400}`, minted)
	}))
	defer server.Close()
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	clock := clocktesting.NewFakeClock(noon)
	s := newSessions(clock)
	token := func(made, want string) {
		t.Helper()
		if got, err := s.Token(t.Context(), api, "acme", made); got != want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	token("a1", "token-1")
	clock.Step(19 * time.Hour)
	token("a1", "token-1")
	clock.Step(time.Hour)
	token("a1", "token-2")
	token("a2", "token-3")
	s.Drop("acme", "token-2") // which is no longer in use
	token("a2", "token-3")
	s.Drop("acme", "token-3")
	token("a2", "token-4")
	clock.Step(24 * time.Hour)
	if s.sweep(clock.Now()); len(s.byAccount) != 0 {
		t.Errorf("a token that has to be renewed anyway is kept: %d", len(s.byAccount))
	}
}
