package cobalt_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// repeated reads as start, and then as one text over and over again.
type repeated struct{ start, text string }

func (r *repeated) Read(p []byte) (int, error) {
	if r.start == "" {
		r.start = strings.Repeat(r.text, 1+len(p)/len(r.text))
	}
	n := copy(p, r.start)
	r.start = r.start[n:]
	return n, nil
}

// endless answers with start and then one text until the client has enough.
func endless(status int, start, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.Copy(w, &repeated{start: start, text: text})
	}
}

// zipped is an endless answer that takes a thousandth on the wire: what is zipped once may follow itself for ever.
func zipped(status int, start, text string) http.HandlerFunc {
	begin, more := zip(start), zip(text)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(status)
		_, _ = io.Copy(w, &repeated{start: begin, text: more})
	}
}

func zip(text string) string {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return zipped.String()
}

// trickle answers byte by byte and comes to no end.
func trickle(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush()
	}
}

// last is the error that a list ends with.
func last[T any](list iter.Seq2[T, error]) (failure error) {
	for _, err := range list {
		failure = err
	}
	return failure
}

func listRecords(ctx context.Context, c *cobalt.Client) error {
	return last(c.ListDatastoreRecords(ctx, "acme", "d1"))
}

// TestAnswersAreBounded has no answer that ends before the client has enough of it.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		serve http.HandlerFunc
		// What one object and what a list make of it.
		get, list string
	}{
		"Text": {serve: endless(200, `"`, "x"), get: "is larger than 8 MiB", list: "is larger than 8 MiB"},
		"Zipped": {
			serve: zipped(200, `"`, strings.Repeat("x", 1<<16)), get: "is larger than 8 MiB", list: "is larger than 8 MiB",
		},
		"ZippedElement": {
			serve: zipped(200, `[{"a":"`, strings.Repeat("x", 1<<16)), get: "is larger than 8 MiB", list: "is larger than 8 MiB",
		},
		"Nested":        {serve: endless(200, "", "["), get: "is larger than 8 MiB", list: "is not JSON"},
		"NestedObjects": {serve: endless(200, "[", `{"docs":`), get: "is larger than 8 MiB", list: "is not JSON"},
		"Elements":      {serve: endless(200, "[1", ",1"), get: "is larger than 8 MiB", list: "has more than a million elements"},
		"ManyDocs": {
			serve: endless(200, `{"a":1`, `,"docs":[],"`+strings.Repeat("b", 1<<10)+`":1`),
			get:   "is larger than 8 MiB", list: "is not a list",
		},
		"BesideDocs": {
			serve: endless(200, `{"docs":[]`, `,"a":"`+strings.Repeat("b", 1<<10)+`"`),
			get:   "is larger than 8 MiB", list: "is larger than 8 MiB",
		},
		"Refusal":       {serve: endless(400, `{"message":"`, "x"), get: "400 Bad Request", list: "400 Bad Request"},
		"ZippedRefusal": {serve: zipped(400, `{"message":"`, strings.Repeat("x", 1<<16)), get: "400 Bad Request", list: "400 Bad Request"},
		"Slow":          {serve: trickle, get: "timed out after 300ms", list: "timed out after 300ms"},
		"Header": {
			serve: answer(200, `[]`, "X-Long", strings.Repeat("x", 1<<20)),
			get:   "server response headers exceeded 65536 bytes; aborted",
			list:  "server response headers exceeded 65536 bytes; aborted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tc.serve)
			t.Cleanup(server.Close)
			options := cobalt.Options{BaseURL: server.URL, Timeout: time.Hour} // whatever the machine
			if name == "Slow" {
				options.Timeout = 300 * time.Millisecond
			}
			c := connect(t, options)
			for want, err := range map[string]error{"get " + tc.get: getAccount(t.Context(), c), "list " + tc.list: listRecords(t.Context(), c)} {
				if _, text, _ := strings.Cut(want, " "); err == nil || !strings.HasSuffix(err.Error(), text) {
					t.Errorf("%s: got %v", want, err)
				}
			}
		})
	}
}

// TestPagesAreBounded: a list that always has another page ends all the same,
// whether there is anything on them or not.
func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	for name, docs := range map[string]string{
		"has pages without an end":         "",
		"has more than a million elements": strings.Repeat("1,", 4000) + "1",
	} {
		pages := 0
		transport := transportFunc(func(r *http.Request) (*http.Response, error) {
			pages++
			body := fmt.Sprintf(`{"docs":[%s],"hasNextPage":true,"nextPage":%d}`, docs, pages+1)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		c := connect(t, cobalt.Options{BaseURL: "https://api.example", Transport: transport})
		c.ReadAtMost(1000)
		if err := listRecords(t.Context(), c); err == nil || !strings.HasSuffix(err.Error(), name) || pages > 1001 {
			t.Errorf("after %d pages: %v, want an answer that %s", pages, err, name)
		}
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
