package cobalt_test

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// secureServer serves TLS, and HTTP/2 to those who want it.
func secureServer(t *testing.T, handler http.HandlerFunc) (server *httptest.Server, bundle []byte) {
	t.Helper()
	server = httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestServersAreSpokenToInHTTP1(t *testing.T) {
	t.Parallel()
	server, bundle := secureServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/1.1" {
			t.Errorf("%s came in %s", r.URL.Path, r.Proto)
		}
		answer(200, `{"_id":"a1","execution_id":"e1"}`)(w, r)
	})
	c := connect(t, cobalt.Options{BaseURL: server.URL, CABundle: bundle})
	for range 2 {
		for _, call := range []func(context.Context, *cobalt.Client) error{getAccount, upsert, execute} {
			if err := call(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestOutcomesOverTLS: a handshake is no byte of a request.
func TestOutcomesOverTLS(t *testing.T) {
	t.Parallel()
	server, bundle := secureServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	if err := execute(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL, CABundle: bundle})); !cobalt.OutcomeUnknown(err) {
		t.Errorf("after a hang-up: %v, want an unknown outcome", err)
	}
	if err := execute(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL})); err == nil || cobalt.OutcomeUnknown(err) {
		t.Errorf("after a handshake that failed: %v, want it known that nothing happened", err)
	}
}

type connectionKey struct{}

// TestOneAdmissionIsNoMoreThanTwoCalls: net/http by itself repeats a read that meets
// a connection which the other end has closed, once for each.
func TestOneAdmissionIsNoMoreThanTwoCalls(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		if r.Context().Value(connectionKey{}).(*atomic.Int64).Add(1) == 1 {
			answer(200, `{"_id":"a1"}`)(w, r)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		_ = conn.Close()
	}))
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, new(atomic.Int64))
	}
	server.Start()
	t.Cleanup(server.Close)
	c := connect(t, cobalt.Options{BaseURL: server.URL})
	for range 20 {
		if err := getAccount(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
	if n := reached.Load(); n > 40 {
		t.Errorf("20 reads reached the server %d times", n)
	}
	before := reached.Load()
	if err := c.DeleteLinkedAccount(t.Context(), "acme"); err == nil {
		t.Error("a deletion met a reset, and did not fail")
	}
	if n := reached.Load() - before; n != 1 {
		t.Errorf("a deletion reached the server %d times", n)
	}
}
