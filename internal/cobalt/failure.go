package cobalt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"syscall"
)

var (
	errTimedOut = errors.New("timed out")
	errTooLarge = errors.New("is larger than 8 MiB")
	errTooMany  = errors.New("has more than a million elements")
	errEmpty    = errors.New("is empty")
	errPage     = errors.New("is an HTML page, not JSON: is the base URL right?")
	errNotJSON  = errors.New("is not JSON")
	errNoList   = errors.New("is not a list")
	errLongID   = errors.New("has an id of more than 256 characters, which there is no room for")
	errLongText = errors.New("has a token or an address of more than 16 KiB, which there is no room for")
)

// trail notes which connections a request was given to, and lets nothing be sent on
// them that must not be.
type trail struct {
	// may is asked before each byte; nil lets all be sent.
	may func() error

	mu      sync.Mutex
	began   bool
	given   []handover
	refused error // what may has said
}

// trail returns the trail of a call. What was waited for before its first byte, such as a
// connection, may have taken long.
func (c *Client) trail(q request) *trail {
	t := &trail{}
	if !q.reads() {
		t.may = func() error {
			err := c.bounds.MaySend()
			if err != nil {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.refused = err
			}
			return err
		}
	}
	return t
}

// handover is one connection, and what was written on it before.
type handover struct {
	conn   *countedConn // nil for one that does not count
	before int64
}

func (t *trail) follow(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.began = true
		},
		GotConn: func(info httptrace.GotConnInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			h := handover{conn: countOf(info.Conn)}
			if h.conn != nil {
				h.before = h.conn.written.Load()
				h.conn.may.Store(&t.may)
			}
			t.given = append(t.given, h)
		},
	})
}

// sent reports whether the API may have received a byte of the request that
// failed with err. net/http returns from a failed call when it writes no more.
// Of a transport that leaves no trail, as in tests, only the error can tell.
func (t *trail) sent(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.began {
		return !beforeConnection(err)
	}
	return slices.ContainsFunc(t.given, func(h handover) bool {
		return h.conn == nil || h.conn.written.Load() > h.before
	})
}

func beforeConnection(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// unanswered makes an error of what net/http says of a request that got no answer.
func (c *Client) unanswered(ctx context.Context, q request, t *trail, err error) error {
	sent := t.sent(err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused != nil && !sent {
		return fmt.Errorf("%s: %w", q.operation, t.refused)
	}
	return c.noAnswer(ctx, q, sent, err)
}

// noAnswer makes a TransportError of what net/http says.
func (c *Client) noAnswer(ctx context.Context, q request, sent bool, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // its text has the URL
	}
	e := &TransportError{Operation: q.operation, Sent: sent, err: err}
	switch {
	case errors.Is(context.Cause(ctx), errTimedOut):
		c.http.CloseIdleConnections() // they may lead as little anywhere
		e.reason, e.err = "timed out after "+c.timeout.String(), context.DeadlineExceeded
	case ctx.Err() != nil:
		e.reason, e.err = "given up: "+context.Cause(ctx).Error(), ctx.Err()
	case sent:
		e.reason = "no answer: " + c.cause(q, err)
	default:
		e.reason = "could not connect: " + c.cause(q, err)
	}
	return e
}

var addresses = regexp.MustCompile(`\b(read|write|dial|proxyconnect) (tcp|udp)[46]?( [^ ]*)?: `)

// cause names what went wrong on the network, without addresses and ports.
func (c *Client) cause(q request, err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsTimeout {
			return "the name of the host was not resolved in time"
		}
		return addresses.ReplaceAllString(dns.Err, "") // which names a port that is new each time
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed"
	}
	return clean(addresses.ReplaceAllString(err.Error(), ""), []string{c.key, q.session})
}

// unreadable makes an error of what went wrong while a good answer was read.
func (c *Client) unreadable(ctx context.Context, q request, err error) error {
	_, refused := errors.AsType[*Error](err)
	switch {
	case err == nil || refused:
		return err
	case ctx.Err() != nil:
		return c.noAnswer(ctx, q, true, err)
	}
	return &AnswerError{Operation: q.operation, problem: problem(err), err: err}
}

func problem(err error) string {
	for _, known := range []error{errTooLarge, errTooMany, errEmpty, errPage, errNotJSON, errNoList, errNoObject, errLongID, errLongText} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Error() != "unexpected end of JSON input" {
		return errNotJSON.Error()
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "is not what the contract says"
	}
	if missing, ok := errors.AsType[missingError](err); ok {
		return missing.Error()
	}
	return "breaks off"
}

// missingError names what an answer must hold and does not.
type missingError string

func (e missingError) Error() string { return "has no " + string(e) }
