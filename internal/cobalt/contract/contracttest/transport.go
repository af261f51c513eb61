package contracttest

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// Transport sends requests through base and fails the test for every request
// that the contract does not allow and every answer that it does not declare.
// Answers that the simulator spoiled on purpose are let through as they are.
// It is safe for concurrent use.
func Transport(t testing.TB, base http.RoundTripper) http.RoundTripper {
	return &transport{t: t, base: base}
}

type transport struct {
	t    testing.TB
	base http.RoundTripper
}

func (c *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, body, err := buffered(r)
	if err != nil {
		return nil, err
	}
	if err := CheckRequest(r, body); err != nil {
		c.t.Errorf("%v", err)
	}
	answer, err := c.base.RoundTrip(sent)
	if err != nil || answer.Header.Get(simulator.FaultHeader) != "" {
		return answer, err
	}
	content, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = &replayed{Reader: bytes.NewReader(content), err: err}
	if err != nil {
		return answer, nil //nolint:nilerr // a broken body is the caller's to find
	}
	if err := CheckResponse(r, answer.StatusCode, answer.Header, content); err != nil {
		c.t.Errorf("%v", err)
	}
	return answer, nil
}

// buffered is a copy of the request, whose body can be read once more, and
// that body.
func buffered(r *http.Request) (*http.Request, []byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil, nil
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, nil, err
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	return sent, body, nil
}

// replayed is a body that was read before and ends as it ended then.
type replayed struct {
	io.Reader
	err error
}

func (b *replayed) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF && b.err != nil {
		return n, b.err
	}
	return n, err
}

func (b *replayed) Close() error { return nil }
