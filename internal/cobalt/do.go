package cobalt

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody      = 8 << 20  // of an answer, or of one element of a list
	maxErrorBody = 1 << 20  // of a refusal
	maxDrain     = 64 << 10 // read for the sake of reusing the connection
)

// request is one call of an operation, before it is sent.
type request struct {
	operation string // operationId of the contract
	method    string
	path      string   // escaped
	page      int      // of a list, 0 for the first
	account   string   // linked_account_id header, "" for none
	session   string   // session token that replaces the API key
	body      any      // nil for none
	private   any      // part of body that no error may repeat
	once      bool     // it must not be repeated
	runs      bool     // an answer with an execution id is a result, whatever its status
	results   []string // fields beside which an error is part of a result
	err       error    // why it must not be sent
}

func get(operation, path string, ids ...string) request {
	return newRequest(operation, http.MethodGet, path, ids)
}

func post(operation, path string, ids ...string) request {
	return newRequest(operation, http.MethodPost, path, ids)
}

func put(operation, path string, ids ...string) request {
	return newRequest(operation, http.MethodPut, path, ids)
}

func del(operation, path string, ids ...string) request {
	return newRequest(operation, http.MethodDelete, path, ids)
}

// newRequest puts one id for each {parameter} of a path of the contract.
func newRequest(operation, method, path string, ids []string) request {
	q := request{operation: operation, method: method}
	elements := strings.Split(path, "/")
	for i, element := range elements {
		if !strings.HasPrefix(element, "{") {
			continue
		}
		q = q.refuse(strings.Trim(element, "{}"), ids[0], checkRoute(elements[i-1], ids[0]))
		elements[i], ids = url.PathEscape(ids[0]), ids[1:]
	}
	q.path = strings.Join(elements, "/")
	return q
}

// refuse remembers the first reason not to send the call.
func (q request) refuse(what, id string, why error) request {
	if q.err == nil {
		q.err = invalid(what, id, why)
	}
	return q
}

// as scopes the call to a linked account.
func (q request) as(account string) request {
	q.account = account
	return q.refuse("linked_account_id", account, checkText(account, maxID))
}

// with gives the call a body.
func (q request) with(body any) request {
	q.body = body
	return q
}

// hiding keeps the texts in v, a part of the body, out of errors.
func (q request) hiding(v any) request {
	q.private = v
	return q
}

// unrepeatable says that the call must not be made twice.
func (q request) unrepeatable() request {
	q.once = true
	return q
}

// do sends a call whose answer is one T.
func do[T any](ctx context.Context, c *Client, q request) (*T, error) {
	var result T
	err := c.send(ctx, q, func(body io.Reader) error {
		answer, err := readWhole(body, maxBody)
		switch {
		case err != nil:
			return err
		case len(bytes.TrimSpace(answer)) == 0:
			return errEmpty
		}
		if err := c.failureIn(q, answer); err != nil {
			return err
		}
		if err := json.Unmarshal(answer, &result); err != nil {
			return err
		}
		return fits(&result)
	})
	if err != nil {
		return nil, err
	}
	return &result, nil
}

// exec sends a call whose answer holds nothing of interest but an error. An
// answer too large for one is believed.
func exec(ctx context.Context, c *Client, q request) error {
	return c.send(ctx, q, func(body io.Reader) error {
		answer, err := readWhole(body, maxErrorBody)
		if err != nil && !errors.Is(err, errTooLarge) {
			return err
		}
		return c.failureIn(q, answer)
	})
}

func readWhole(body io.Reader, limit int) ([]byte, error) {
	answer, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err == nil && len(answer) > limit {
		return nil, errTooLarge
	}
	return answer, err
}

// send makes one call in its turn. It gives the body of a good answer to read.
func (c *Client) send(ctx context.Context, q request, read func(io.Reader) error) error {
	if q.err != nil {
		return q.err
	}
	req, err := c.build(ctx, q)
	if err != nil {
		return err
	}
	if err := mayBeMade(ctx, q); err != nil {
		return err
	}
	if !admitted(ctx) {
		if err := c.turn(ctx); err != nil && !IsThrottled(err) {
			return &TransportError{Operation: q.operation, reason: "given up: " + err.Error(), err: err}
		} else if err != nil {
			return fmt.Errorf("%s: %w", q.operation, err)
		}
	}
	if c.begun != nil {
		defer c.begun(q.operation)()
	}
	ctx, end, err := c.bound(ctx, q)
	if err != nil {
		return fmt.Errorf("%s: %w", q.operation, err)
	}
	defer end()
	start := time.Now()
	status, err := c.exchange(ctx, req, q, read)
	if c.observe != nil {
		c.observe(ctx, Call{Operation: q.operation, Status: status, Start: start, Duration: time.Since(start), Err: err})
	}
	return err
}

func (c *Client) build(ctx context.Context, q request) (*http.Request, error) {
	var body io.Reader
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil { // its text could quote the body
			return nil, fmt.Errorf("%s: the body to send is not valid JSON", q.operation)
		}
		body = bytes.NewReader(text)
	}
	target := c.base + q.path
	if q.page > 0 {
		target += "?page=" + strconv.Itoa(q.page)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.operation, err)
	}
	req.GetBody = nil // or net/http could send a write twice
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if q.session != "" {
		req.Header.Set("Authorization", q.session)
	} else {
		req.Header.Set("X-Api-Key", c.key)
	}
	if q.account != "" {
		req.Header.Set("Linked_account_id", q.account)
	}
	return req, nil
}

// exchange sends req and reads its answer. The status is 0 without an answer.
func (c *Client) exchange(ctx context.Context, req *http.Request, q request, read func(io.Reader) error) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimedOut)
	defer cancel()
	sending := c.trail(q)
	resp, err := c.connections(q).Do(req.WithContext(sending.follow(ctx)))
	if err != nil {
		return 0, c.unanswered(ctx, q, sending, err)
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
		_ = resp.Body.Close()
	}()
	if resp.StatusCode/100 == 2 { // others may come from a gateway with a clock of its own
		c.clock.saw(resp.Header)
		c.limiter.Succeeded()
		return resp.StatusCode, c.unreadable(ctx, q, readJSON(resp, read))
	}
	limit := int64(maxErrorBody)
	if q.runs { // it may be a result
		limit = maxBody
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, limit)) // a reason cut short is none
	if q.runs && holdsExecution(answer) {
		return resp.StatusCode, c.unreadable(ctx, q, read(bytes.NewReader(answer)))
	}
	c.pace(resp)
	return resp.StatusCode, c.refusal(q, resp, answer)
}

// connections are those that a call may use. One that was used before may have
// been closed at its other end by now, and then nobody could tell whether the
// call was read there.
func (c *Client) connections(q request) *http.Client {
	if q.once {
		return c.fresh
	}
	return c.http
}

// readJSON reads the body of resp, unless it is a page for people.
func readJSON(resp *http.Response, read func(io.Reader) error) error {
	body := bufio.NewReader(resp.Body)
	head, err := body.Peek(512)
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if isPage(resp.Header, head) {
		return errPage
	}
	return read(body)
}

// isPage tells whether an answer is a page for people, as proxies, login forms
// and wrong base URLs send. What begins like JSON is JSON, however it is labelled.
func isPage(header http.Header, body []byte) bool {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff"))) // a byte order mark
	switch {
	case len(body) == 0:
		return false
	case bytes.ContainsAny(body[:1], "{[\""):
		return false
	case body[0] == '<':
		return true
	}
	return strings.HasPrefix(strings.ToLower(header.Get("Content-Type")), "text/html")
}

// pace tells the limiter of an answer that asks to slow down.
func (c *Client) pace(resp *http.Response) {
	wait := retryAfter(resp.Header)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		c.limiter.Throttled(wait)
	case resp.StatusCode == http.StatusServiceUnavailable && wait > 0:
		c.limiter.Pause(wait)
	}
}
