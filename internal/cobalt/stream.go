package cobalt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
)

// maxElements bounds how far a list is followed, as whoever reads it remembers
// something of each element. maxPages are that many at ten elements a page, the
// smallest the API is known to send.
const (
	maxElements = 1_000_000
	maxPages    = maxElements / 10
)

// list sends a call whose answer is any number of T: a bare array, pages of
// {"docs": [...]}, or one object for a list of one. Elements are decoded as
// they arrive. A list that breaks off ends with an error, and so does one whose
// next page would have to wait for long. The client's time-out covers one page,
// including what the loop's body spends on its elements.
func list[T any](ctx context.Context, c *Client, q request) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		count := 0
		for pages := 0; ; pages++ {
			p := &page[T]{yield: yield, number: max(q.page, 1), before: count}
			p.failure = func(rest object) error { return c.reported(q, rest) }
			err := c.send(ctx, q, p.read)
			if pages > 0 && c.heldForMoment(ctx, err) {
				continue
			}
			count += p.count
			if err == nil && !p.stopped && p.next() > 0 {
				if p.next() <= p.number || pages == c.maxPages {
					err = &AnswerError{Operation: q.operation, problem: "has pages without an end"}
				}
				q.page = p.next()
			}
			switch {
			case p.stopped:
				return
			case err != nil:
				var none T
				yield(none, err)
				return
			case p.next() == 0:
				return
			}
		}
	}
}

// heldForMoment tells whether a call was held back, for no longer than turns take
// at most, and that time is over now. A Retry-After may be far longer: it must not
// make those wait here who could do something else.
func (c *Client) heldForMoment(ctx context.Context, err error) bool {
	held, ok := errors.AsType[*ThrottledError](err)
	return ok && c.limiter.SitOut(ctx, held)
}

// page is one answer to a list call.
type page[T any] struct {
	yield   func(T, error) bool
	number  int  // as asked for
	stopped bool // by the consumer
	before  int  // elements of the pages before
	count   int
	rest    object // what an object has beside its docs
	failure func(rest object) error
}

// next returns the number of the next page, 0 after the last one.
func (p *page[T]) next() int {
	current, limit := cmp.Or(p.rest.number("page"), p.number), p.rest.number("limit")
	switch {
	case p.rest.has("hasNextPage"):
		if !p.rest.flag("hasNextPage") {
			return 0
		}
		if next := p.rest.number("nextPage"); next > 0 {
			return next
		}
	case p.rest.has("totalPages"):
		if current >= p.rest.number("totalPages") {
			return 0
		}
	case limit == 0 || p.count < limit:
		return 0
	}
	return current + 1
}

func (p *page[T]) read(body io.Reader) error {
	source := &meter{Reader: body}
	source.reset()
	decoder := json.NewDecoder(source)
	decoder.UseNumber()
	first, err := decoder.Token()
	switch {
	case errors.Is(err, io.EOF):
		return errEmpty
	case err != nil:
		return err
	}
	switch first {
	case json.Delim('['):
		err = p.elements(decoder, source)
	case json.Delim('{'):
		err = p.object(decoder, source)
	default:
		return errNoList
	}
	if err != nil || p.stopped {
		return err
	}
	source.reset()
	switch _, err := decoder.Token(); {
	case err == nil:
		return errNotJSON
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// elements yields the elements of an array whose bracket has been read.
func (p *page[T]) elements(decoder *json.Decoder, source *meter) error {
	for decoder.More() {
		source.reset()
		var element T
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		if p.count++; p.before+p.count > maxElements {
			return errTooMany
		}
		if !p.yield(element, nil) {
			p.stopped = true
			return nil
		}
	}
	_, err := decoder.Token()
	return atEnd(err)
}

// object yields the docs of an object whose brace has been read, or else the
// object itself.
func (p *page[T]) object(decoder *json.Decoder, source *meter) error {
	p.rest = object{}
	paged := false
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return atEnd(err)
		}
		if key == "docs" {
			if paged { // or what stands beside each of them would add up
				return errNoList
			}
			paged = true
			if err := p.docs(decoder, source); err != nil || p.stopped {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		p.rest[key.(string)] = value
	}
	if _, err := decoder.Token(); err != nil {
		return atEnd(err)
	}
	if err := p.failure(p.rest); err != nil || paged {
		return err
	}
	return p.single()
}

// docs reads the elements of a page that is an object.
func (p *page[T]) docs(decoder *json.Decoder, source *meter) error {
	if bracket, err := decoder.Token(); err != nil {
		return atEnd(err)
	} else if bracket != json.Delim('[') {
		return errNoList
	}
	if err := p.elements(decoder, source); err != nil || p.stopped {
		return err
	}
	source.reset()
	return nil
}

// single yields the object itself as the only element. A message or an error
// that comes with status 200 is none.
func (p *page[T]) single() error {
	if !slices.ContainsFunc([]string{"_id", "id", "config_id", "slug", "linked_account_id", "account_id", "record_id"}, p.rest.has) {
		return errNoList
	}
	whole, err := json.Marshal(p.rest)
	if err != nil {
		return err
	}
	p.rest = nil
	decoder := json.NewDecoder(bytes.NewReader(whole))
	var element T
	if err := decoder.Decode(&element); err != nil {
		return err
	}
	p.stopped = !p.yield(element, nil)
	return nil
}

// atEnd makes the end of the input within a value an error like any other.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// meter refuses to read more than maxBody between two resets, which bounds
// the memory that one element can take.
type meter struct {
	io.Reader
	left int
}

func (m *meter) reset() { m.left = maxBody }

func (m *meter) Read(p []byte) (int, error) {
	if m.left == 0 {
		return 0, errTooLarge
	}
	n, err := m.Reader.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}
