package cobalt

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// relay is the way to a server that takes half of trip in each direction. It runs
// on the clock of a synctest bubble, whose hours take no time.
type relay struct {
	trip     time.Duration
	incoming chan net.Conn
	dials    atomic.Int64
	arrived  atomic.Int64 // bytes at the server's end
	refuse   atomic.Bool  // connections from now on
	hangUp   atomic.Bool  // on connections from now on, before anything is written

	ways sync.WaitGroup

	mu   sync.Mutex
	open []*atomic.Bool // connections, and whether the way has forgotten them
}

// startRelay serves handler behind a relay until the test ends.
func startRelay(t *testing.T, trip time.Duration, server *http.Server) *relay {
	t.Helper()
	r := &relay{trip: trip, incoming: make(chan net.Conn)}
	go func() { _ = server.Serve(r) }()
	t.Cleanup(func() {
		_ = server.Close()
		r.ways.Wait()
	})
	return r
}

func (r *relay) client(t *testing.T, o Options) *Client {
	t.Helper()
	o.BaseURL, o.APIKey, o.dial = "http://127.0.0.1", "key", r.dial
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func (r *relay) dial(context.Context, string, string) (net.Conn, error) {
	r.dials.Add(1)
	if r.refuse.Load() {
		return nil, &net.OpError{Op: "dial", Err: io.ErrNoProgress}
	}
	client, near := net.Pipe()
	if r.hangUp.Load() {
		_ = near.Close()
		return client, nil
	}
	far, server := net.Pipe()
	forgotten := new(atomic.Bool)
	r.mu.Lock()
	r.open = append(r.open, forgotten)
	r.mu.Unlock()
	time.Sleep(r.trip)
	r.incoming <- server
	r.ways.Go(func() { r.carry(near, far, forgotten, &r.arrived) })
	r.ways.Go(func() { r.carry(far, near, forgotten, new(atomic.Int64)) })
	return client, nil
}

// carry takes what comes from one end to the other, and the end of it.
func (r *relay) carry(from, to net.Conn, forgotten *atomic.Bool, arrived *atomic.Int64) {
	type packet struct {
		due  time.Time
		data []byte
	}
	way := make(chan packet, 1024)
	r.ways.Go(func() {
		defer close(way)
		for {
			data := make([]byte, 4096)
			n, err := from.Read(data)
			way <- packet{time.Now().Add(r.trip / 2), data[:n]}
			if err != nil {
				return
			}
		}
	})
	for p := range way {
		time.Sleep(time.Until(p.due))
		if forgotten.Load() {
			continue
		}
		if n, err := to.Write(p.data); err == nil {
			arrived.Add(int64(n))
		}
	}
	if !forgotten.Load() {
		_ = to.Close()
	}
}

// forget has the way lose all connections of now, without a word to either end.
func (r *relay) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, connection := range r.open {
		connection.Store(true)
	}
}

// Accept, Close and Addr make the server's listener of the relay.
func (r *relay) Accept() (net.Conn, error) {
	conn, ok := <-r.incoming
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (r *relay) Close() error { close(r.incoming); return nil }

func (r *relay) Addr() net.Addr { return &net.TCPAddr{} }

// ledger counts the work that a server has done, by event.
type ledger struct {
	mu   sync.Mutex
	work map[string]int
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in EventInput
	_ = json.NewDecoder(r.Body).Decode(&in)
	l.mu.Lock()
	l.work[in.Event]++
	l.mu.Unlock()
	if in.ConfigID == "hang-up" {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"_id":"a1","execution_id":"e1"}`)
}

// TestOutcomesAreUnknownOnlyIfSomethingArrived: an event is fired again and again just
// when the server closes connections that have been idle for long, and far enough away
// that both happen at once.
func TestOutcomesAreUnknownOnlyIfSomethingArrived(t *testing.T) {
	t.Parallel()
	for _, trip := range []time.Duration{40 * time.Millisecond, 100 * time.Millisecond} {
		for _, idle := range []time.Duration{15 * time.Second, time.Minute} {
			t.Run(fmt.Sprintf("%s/%s", trip, idle), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { fireAtIdle(t, trip, idle) })
			})
		}
	}
}

func fireAtIdle(t *testing.T, trip, idle time.Duration) {
	const calls = 500
	done := &ledger{work: map[string]int{}}
	r := startRelay(t, trip, &http.Server{Handler: done, IdleTimeout: idle})
	c := r.client(t, Options{})
	dice, due, unknown := rand.New(rand.NewSource(1)), time.Now(), 0
	for i := range calls {
		due = due.Add(idle)
		time.Sleep(time.Until(due.Add(time.Duration(dice.Int63n(int64(trip))))))
		in := EventInput{Event: fmt.Sprint(i)}
		r.refuse.Store(i%7 == 0)
		r.hangUp.Store(i%11 == 0)
		if i%13 == 0 {
			in.ConfigID = "hang-up"
		}
		before := r.arrived.Load()
		_, err := c.TriggerEvent(t.Context(), "acme", "x", in)
		time.Sleep(trip)
		arrived, times := r.arrived.Load() > before, done.work[in.Event]
		switch {
		case OutcomeUnknown(err) && !arrived:
			t.Errorf("call %d has an unknown outcome, and nothing of it arrived: %v", i, err)
		case OutcomeUnknown(err):
			unknown++
		case err == nil && times != 1, err != nil && times != 0, times > 1:
			t.Errorf("call %d was done %d times, and ended with %v", i, times, err)
		}
	}
	if want := calls/13 + 1; unknown > want {
		t.Errorf("of %d outcomes nobody knows, want no more than the server's %d hang-ups", unknown, want)
	}
}

// TestWhatWasWrittenBeforeIsNoByteOfARequest: a connection may have served others, or
// shaken hands through a proxy.
func TestWhatWasWrittenBeforeIsNoByteOfARequest(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	t.Cleanup(func() { _ = near.Close() })
	conn := &countedConn{Conn: near}
	write := func() {
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	}
	for name, given := range map[string]net.Conn{"plain": conn, "through a proxy": tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12})} {
		sending := new(trail)
		trace := httptrace.ContextClientTrace(sending.follow(t.Context()))
		trace.GetConn("")
		write()
		if sending.sent(io.EOF) {
			t.Errorf("%s: sent before there was a connection", name)
		}
		trace.GotConn(httptrace.GotConnInfo{Conn: given})
		if sending.sent(io.EOF) {
			t.Errorf("%s: sent before anything was written", name)
		}
		write()
		if !sending.sent(io.EOF) {
			t.Errorf("%s: not sent although a byte was written", name)
		}
	}
}

func readAccount(ctx context.Context, c *Client) error {
	_, err := c.GetLinkedAccount(ctx, "acme")
	return err
}

// TestConnectionsThatAreDeadAreLeft: when the way has lost its connections, no more
// than the calls that were made on them fail.
func TestConnectionsThatAreDeadAreLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := startRelay(t, 40*time.Millisecond, &http.Server{Handler: &ledger{work: map[string]int{}}})
		c := r.client(t, Options{Timeout: 5 * time.Second})
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				if err := readAccount(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		r.forget()
		if err := readAccount(t.Context(), c); !IsFailing(err) {
			t.Errorf("on a dead connection: %v, want a failure", err)
		}
		if err := readAccount(t.Context(), c); err != nil {
			t.Errorf("after a dead connection: %v, want a new one", err)
		}
	})
}

// TestIdleConnectionsAreClosed before the other end does so.
func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	for idle, want := range map[time.Duration]time.Duration{0: 20 * time.Second, 5 * time.Second: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := startRelay(t, 0, &http.Server{Handler: &ledger{work: map[string]int{}}})
			c := r.client(t, Options{IdleTimeout: idle})
			for i, pause := range []time.Duration{0, want - time.Second, want + time.Second} {
				time.Sleep(pause)
				if err := readAccount(t.Context(), c); err != nil {
					t.Error(err)
				}
				if dials := r.dials.Load(); dials != int64(1+i/2) {
					t.Errorf("IdleTimeout %s: %d connections after a pause of %s", idle, dials, pause)
				}
			}
		})
	}
}
