// Package cobalt is a client for the Cobalt HTTP API: one method for each of
// its operations, over one function that sends a call and reads its answer.
//
// It never retries: an error says whether the API may have acted
// (OutcomeUnknown) and when to come back (RetryAfter), the caller decides. It
// reads more dialects than it writes, since deployments differ in the names of
// their fields, and ignores what it does not know.
package cobalt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	defaultTimeout     = 30 * time.Second
	defaultIdleTimeout = 20 * time.Second // balancers close from 30 seconds on
)

// Options says where the API is and how to talk to it.
type Options struct {
	// BaseURL is where the operations' paths start, such as
	// https://api.gocobalt.io/api/v2.
	BaseURL string
	// APIKey is sent as x-api-key. It selects the Cobalt environment.
	APIKey string
	// Limiter is asked before each call and told how the API answered. Clients
	// of the same key should share one. Nil: no limit.
	Limiter Limiter
	// Timeout bounds each call, from sending to the last byte of the answer.
	// The turn at the Limiter comes before. 0: 30 seconds.
	Timeout time.Duration
	// IdleTimeout is how long a connection is kept that nobody uses. It should be
	// shorter than the API and what stands before it keep theirs. 0: 20 seconds.
	IdleTimeout time.Duration
	// CABundle holds the PEM certificates to trust instead of the system's.
	// Empty: the system's. It is not used with a Transport.
	CABundle []byte
	// UserAgent is sent with each call.
	UserAgent string
	// Transport replaces the client's own, for tests.
	Transport http.RoundTripper
	// Now is the clock by which the API's is read; nil: time.Now.
	Now func() time.Time
	// Begun is told the operation of each call that is about to be sent. What it returns is
	// called once that call is over. Both must be safe for concurrent use.
	Begun func(operation string) (ended func())
	// Bounds say which calls may be made, and for how long; nil: all, and as their
	// contexts say.
	Bounds Bounds
	// Observe is told of each call that was sent, once it is over. It must be
	// safe for concurrent use.
	Observe func(context.Context, Call)
	// HeldBack is told of each call that the Limiter put off, and for how long.
	// It must be safe for concurrent use.
	HeldBack func(time.Duration)

	dial dial // replaces the network, for tests
}

// Format prints the options without the key, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "cobalt.Options{BaseURL: %q}", o.BaseURL)
}

// Call tells how one call went.
type Call struct {
	Operation string        // operationId of the contract
	Status    int           // HTTP status, 0 if there was no answer
	Start     time.Time     // when it was sent
	Duration  time.Duration // from sending to the last byte
	Err       error         // what the caller gets
}

// Client talks to one Cobalt environment. It is safe for concurrent use.
type Client struct {
	base     string // without a slash at its end
	key      string
	agent    string
	timeout  time.Duration
	limiter  Limiter
	http     *http.Client // of calls that can be repeated
	fresh    *http.Client // of the others: a new connection for each
	clock    *serverClock
	begun    func(operation string) (ended func())
	bounds   Bounds
	observe  func(context.Context, Call)
	heldBack func(time.Duration)
	maxPages int // how far a list is followed
}

// New returns a client, or an error that says which option is wrong.
func New(o Options) (*Client, error) {
	base, err := parseEndpoint(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
		return nil, errors.New("base URL: must not have a query or a fragment")
	}
	if err := ValidateAPIKey(o.APIKey); err != nil {
		return nil, fmt.Errorf("API key: %w", err)
	}
	kept, fresh := o.Transport, o.Transport
	if o.Transport == nil {
		if kept, fresh, err = newTransports(o); err != nil {
			return nil, err
		}
	}
	now, bounds, limiter := o.Now, o.Bounds, o.Limiter
	if now == nil {
		now = time.Now
	}
	if bounds == nil {
		bounds = boundless{}
	}
	if limiter == nil {
		limiter = unlimited{}
	}
	return &Client{
		clock:    &serverClock{now: now},
		base:     strings.TrimRight(base.String(), "/"),
		key:      o.APIKey,
		agent:    cmp.Or(o.UserAgent, "cobalt-operator"),
		timeout:  cmp.Or(o.Timeout, defaultTimeout),
		limiter:  limiter,
		http:     &http.Client{Transport: kept, CheckRedirect: stayHome},
		fresh:    &http.Client{Transport: fresh, CheckRedirect: stayHome},
		begun:    o.Begun,
		bounds:   bounds,
		observe:  o.Observe,
		heldBack: o.HeldBack,
		maxPages: maxPages,
	}, nil
}

// Rate returns how many calls per second pass now, and how many at most; zero
// for no limit.
func (c *Client) Rate() (now, limit float64) { return c.limiter.Rate() }

// Burst returns how many calls can go in a row.
func (c *Client) Burst() int { return c.limiter.Burst() }

// ValidateAPIKey tells why a text cannot be an API key. It does not repeat it.
func ValidateAPIKey(key string) error { return checkText(key, maxSecret) }

// Format prints the client without its key, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "cobalt.Client{%s}", c.base)
}
