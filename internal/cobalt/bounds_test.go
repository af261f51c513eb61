package cobalt

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

var errOver = errors.New("over")

// bounds are what a test says.
type bounds struct {
	reading  context.Context
	changing error
	send     atomic.Bool // nothing may be sent
}

func (b *bounds) Reading(context.Context) (context.Context, context.CancelFunc) {
	return b.reading, func() {}
}

func (b *bounds) Changing(ctx context.Context) (context.Context, context.CancelFunc, error) {
	return ctx, func() {}, b.changing
}

func (b *bounds) MaySend() error {
	if b.send.Load() {
		return errOver
	}
	return nil
}

// changes are calls of all kinds that change something, those that must not be repeated among them.
var changes = map[string]func(context.Context, *Client) error{
	"Upsert": func(ctx context.Context, c *Client) error {
		_, err := c.UpsertLinkedAccount(ctx, LinkedAccountInput{ID: "a"})
		return err
	},
	"Delete": func(ctx context.Context, c *Client) error { return c.DeleteLinkedAccount(ctx, "a") },
	"Execute": func(ctx context.Context, c *Client) error {
		_, err := c.ExecuteWorkflow(ctx, "a", "w", nil)
		return err
	},
}

// counted serves a server that counts requests to a client with these bounds.
func counted(t *testing.T, b *bounds, d dial) (*Client, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, `{"_id":"a","linked_account_id":"a","execution_id":"e"}`)
	}))
	t.Cleanup(server.Close)
	c, err := New(Options{BaseURL: server.URL, APIKey: "key", Bounds: b, dial: d})
	if err != nil {
		t.Fatal(err)
	}
	return c, &requests
}

// TestNoChangeBeginsBeyondItsBounds: none is sent, and nothing is unknown or said of the API then.
func TestNoChangeBeginsBeyondItsBounds(t *testing.T) {
	t.Parallel()
	for name, call := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bounds{reading: t.Context(), changing: errOver}
			c, requests := counted(t, b, nil)
			if err := call(t.Context(), c); !errors.Is(err, errOver) || OutcomeUnknown(err) || IsFailing(err) {
				t.Errorf("the error is not what the bounds say: %v", err)
			}
			if _, err := c.GetLinkedAccount(t.Context(), "a"); err != nil {
				t.Errorf("a read changes nothing: %v", err)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests came, want the read", n)
			}
		})
	}
}

// TestNoChangeIsSentAfterAPause: what was in order when a call began may be so no longer when its connection is there, be
// that new or kept. A read goes on the same connection.
func TestNoChangeIsSentAfterAPause(t *testing.T) {
	t.Parallel()
	for name, call := range changes {
		for how, warm := range map[string]bool{"NewConnection": false, "KeptConnection": true} {
			t.Run(name+how, func(t *testing.T) {
				t.Parallel()
				b := &bounds{reading: t.Context()}
				c, requests := counted(t, b, func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
					b.send.Store(true) // this took very long
					return conn, err
				})
				before := int64(0)
				if warm {
					if _, err := c.GetLinkedAccount(t.Context(), "a"); err != nil {
						t.Fatal(err)
					}
					before = 1
				}
				if err := call(t.Context(), c); !errors.Is(err, errOver) || OutcomeUnknown(err) || IsFailing(err) {
					t.Errorf("the error is not what the bounds say: %v", err)
				}
				if n := requests.Load(); n != before {
					t.Errorf("%d requests came, want %d", n, before)
				}
				if _, err := c.GetLinkedAccount(t.Context(), "a"); err != nil {
					t.Errorf("a read changes nothing: %v", err)
				}
			})
		}
	}
}

func TestReadsAndTurnsEndWithTheirBounds(t *testing.T) {
	t.Parallel()
	reading, stop := context.WithCancel(t.Context())
	c, requests := counted(t, &bounds{reading: reading}, nil)
	if _, err := c.Admit(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	if _, err := c.GetLinkedAccount(t.Context(), "a"); !errors.Is(err, context.Canceled) || IsFailing(err) {
		t.Errorf("a read was made, or says something of the API: %v", err)
	}
	if _, err := c.Admit(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("a turn was waited for: %v", err)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests came, want none", n)
	}
}
