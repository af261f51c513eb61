package testenv

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Laggard holds back what the API server tells a cache of our kinds. Each kind has
// a stream of its own, so that what happened to two of them may come in another
// order; those of one kind keep theirs, as they do in a cluster.
type Laggard struct {
	clock *clocktesting.FakeClock

	mu sync.Mutex
	// delay is how long the next event is held back; nil for not at all.
	delay func() time.Duration
	// drop tells whether the next event, and all after it, are lost until the cache lists anew.
	drop func() bool
	// behind is how far caches are that begin; nil for not at all.
	behind *behind
}

// NewLaggard returns one that holds nothing back yet.
func NewLaggard(t *Time) *Laggard { return &Laggard{clock: t.FakeClock} }

// Lag has it hold back and lose events as these say; nil for not at all.
func (l *Laggard) Lag(delay func() time.Duration, drop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay, l.drop = delay, drop
}

// Cache makes the cache of a manager; it is a manager.Options.NewCache.
func (l *Laggard) Cache(config *rest.Config, options cache.Options) (cache.Cache, error) {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return lateTransport{l, next} })
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	options.HTTPClient = client
	return cache.New(config, options)
}

// next is what becomes of the next event.
func (l *Laggard) next() (due time.Time, dropped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	due = l.clock.Now()
	if l.delay != nil {
		due = due.Add(l.delay())
	}
	return due, l.drop != nil && l.drop()
}

// lateTransport hands out the answers to watches late.
type lateTransport struct {
	laggard *Laggard
	next    http.RoundTripper
}

func (t lateTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	query := request.URL.Query()
	if err != nil || response.StatusCode != http.StatusOK || query.Get("watch") == "" ||
		!strings.HasPrefix(request.URL.Path, "/apis/"+v1alpha1.GroupVersion.Group+"/") {
		return response, err
	}
	stream := &lateStream{laggard: t.laggard, source: response.Body, stop: make(chan struct{})}
	stream.listing = query.Get("sendInitialEvents") == "true"
	if behind := t.laggard.listed(request); behind != nil {
		stream.past = &past{behind: behind}
	}
	response.Body = stream.open()
	return response, nil
}

// lateStream is one watch.
type lateStream struct {
	laggard *Laggard
	source  io.ReadCloser
	stop    chan struct{}
	once    sync.Once
	reader  *io.PipeReader
	// listing is true until all that was there in the beginning has come: a cache that
	// has not seen it yet serves nobody.
	listing bool
	// past is what the list is changed to, nil if it is not.
	past *past
}

type lateEvent struct {
	line []byte
	due  time.Time
	// after is closed before it may be handed out, unless it is nil.
	after <-chan struct{}
	last  bool
}

// expired is the end of a watch that has lost events: the cache lists anew.
const expired = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}}` + "\n"

func (s *lateStream) open() io.ReadCloser {
	reader, writer := io.Pipe()
	s.reader = reader
	events := make(chan lateEvent, 1000)
	go s.read(events)
	go s.write(events, writer)
	return s
}

func (s *lateStream) Read(p []byte) (int, error) { return s.reader.Read(p) }

func (s *lateStream) Close() error {
	s.once.Do(func() { close(s.stop) })
	_ = s.reader.Close()
	return s.source.Close()
}

// read takes events in as they come, and decides what becomes of each.
func (s *lateStream) read(events chan<- lateEvent) {
	defer close(events)
	lines := bufio.NewReader(s.source)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		for _, event := range s.fate(line) {
			select {
			case events <- event:
			case <-s.stop:
				return
			}
			if event.last {
				return
			}
		}
	}
}

// fate is what becomes of an event.
func (s *lateStream) fate(line []byte) []lateEvent {
	event := lateEvent{line: line, due: s.laggard.clock.Now()}
	if !s.listing {
		if event.due, event.last = s.laggard.next(); event.last {
			event.line = []byte(expired)
		}
		return []lateEvent{event}
	}
	s.listing = !isEndOfList(line)
	if s.past == nil {
		return []lateEvent{event}
	}
	now, then := s.past.replay(line)
	event.line = now
	if then == nil {
		return []lateEvent{event}
	}
	return []lateEvent{event, {line: then, due: event.due, after: s.past.caughtUp}}
}

// write hands events out when they are due.
func (s *lateStream) write(events <-chan lateEvent, writer *io.PipeWriter) {
	defer writer.Close()
	for event := range events {
		if event.after != nil {
			select {
			case <-event.after:
			case <-s.stop:
				return
			}
		}
		if wait := event.due.Sub(s.laggard.clock.Now()); wait > 0 {
			select {
			case <-s.laggard.clock.After(wait):
			case <-s.stop:
				return
			}
		}
		if _, err := writer.Write(event.line); err != nil {
			return
		}
	}
}
