package snapshot_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// server is what a list is loaded from: name to value.
type server struct {
	clock *clocktesting.FakeClock

	mu     sync.Mutex
	values map[string]string
	err    error // after what there is
	loads  int
	during func() // in the middle of a load
}

var errDown, errPersonal = errors.New("down"), errors.New("personal")

func (s *server) list() *snapshot.List[[2]string] {
	return snapshot.New(s.clock, snapshot.Source[[2]string]{
		Load:     s.load,
		Key:      func(v [2]string) string { return v[0] },
		Keep:     func(key string) bool { return key != "unwanted" },
		Personal: func(err error) bool { return errors.Is(err, errPersonal) },
	})
}

func (s *server) load(context.Context) iter.Seq2[[2]string, error] {
	return func(yield func([2]string, error) bool) {
		s.mu.Lock()
		s.loads++
		values, err, during := s.values, s.err, s.during
		s.mu.Unlock()
		for name, value := range values {
			if !yield([2]string{name, value}, nil) {
				return
			}
		}
		if during != nil {
			during()
		}
		if err != nil {
			yield([2]string{}, err)
		}
	}
}

func newServer(values map[string]string) *server {
	return &server{clock: clocktesting.NewFakeClock(time.Now()), values: values}
}

func expect(t *testing.T, list *snapshot.List[[2]string], key string, maxAge time.Duration, value string, presence snapshot.Presence) {
	t.Helper()
	got, is, err := list.Find(t.Context(), key, maxAge)
	if err != nil || got[1] != value || is != presence {
		t.Errorf("%s is %q (%d), error %v, want %q (%d)", key, got[1], is, err, value, presence)
	}
}

func TestOneLoadServesAll(t *testing.T) {
	t.Parallel()
	s := newServer(map[string]string{"a": "1", "unwanted": "x"})
	list := s.list()
	expect(t, list, "a", time.Minute, "1", snapshot.Present)
	expect(t, list, "b", time.Minute, "", snapshot.Absent)
	expect(t, list, "unwanted", time.Minute, "", snapshot.Unknown) // it is there, and was not remembered
	if s.loads != 1 {
		t.Errorf("%d loads, want 1", s.loads)
	}
	s.values = map[string]string{"b": "2"}
	s.clock.Step(time.Minute)
	expect(t, list, "a", 2*time.Minute, "1", snapshot.Present)
	expect(t, list, "a", time.Minute, "", snapshot.Absent)
	expect(t, list, "b", time.Minute, "2", snapshot.Present)
	if s.loads != 2 {
		t.Errorf("%d loads, want 2", s.loads)
	}
}

// TestSlowLoadServesAllWhoWait: a load that takes longer than it may be old is not begun anew for each who asks, and
// what was written since it began counts.
func TestSlowLoadServesAllWhoWait(t *testing.T) {
	t.Parallel()
	s := newServer(map[string]string{"a": "1", "b": "1"})
	list := s.list()
	s.during = func() {
		s.clock.Step(66 * time.Second)
		list.Put("b", [2]string{"b", "2"})
	}
	for range 4 {
		expect(t, list, "a", time.Minute, "1", snapshot.Present)
		expect(t, list, "b", time.Minute, "2", snapshot.Present)
		s.clock.Step(10 * time.Second)
	}
	if s.loads != 1 {
		t.Errorf("%d loads, want 1", s.loads)
	}
	s.during = nil
	s.clock.Step(20 * time.Second)
	expect(t, list, "b", time.Minute, "1", snapshot.Present)
	if s.loads != 2 {
		t.Errorf("%d loads, want 2: a minute after its end it is too old", s.loads)
	}
}

// TestOneLoadServesAllWhoComeAtOnce: who finds the list too old, and comes to load it when
// another just has, takes that one.
func TestOneLoadServesAllWhoComeAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(map[string]string{"a": "1"})
	list := s.list()
	for round := 1; round <= 3000; round++ {
		var callers sync.WaitGroup
		begin := make(chan struct{})
		for range 32 {
			callers.Go(func() {
				<-begin
				expect(t, list, "a", time.Minute, "1", snapshot.Present)
			})
		}
		close(begin)
		callers.Wait()
		if s.loads != round {
			t.Fatalf("%d loads for %d times that the list was too old", s.loads, round)
		}
		s.clock.Step(time.Minute)
	}
}

func TestWritesCountUntilALaterLoad(t *testing.T) {
	t.Parallel()
	s := newServer(map[string]string{"a": "old", "b": "old"})
	list := s.list()
	list.Put("a", [2]string{"a", "before the first load, which will know"})
	expect(t, list, "a", time.Minute, "old", snapshot.Present)
	list.Put("a", [2]string{"a", "new"})
	list.Put("c", [2]string{"c", "made"})
	list.Forget("b")
	expect(t, list, "a", time.Minute, "new", snapshot.Present)
	expect(t, list, "b", time.Minute, "", snapshot.Unknown)
	expect(t, list, "c", time.Minute, "made", snapshot.Present)

	s.during = func() { list.Put("a", [2]string{"a", "while it was loading"}) }
	if err := list.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, list, "a", time.Minute, "while it was loading", snapshot.Present)
	expect(t, list, "b", time.Minute, "old", snapshot.Present)
	expect(t, list, "c", time.Minute, "", snapshot.Absent)
	s.during = nil
	if err := list.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, list, "a", time.Minute, "old", snapshot.Present)
}

func TestFailedLoadFailsAllOnce(t *testing.T) {
	t.Parallel()
	s := newServer(map[string]string{"a": "1"})
	list := s.list()
	expect(t, list, "a", time.Minute, "1", snapshot.Present)
	s.clock.Step(time.Hour)
	s.err = errDown
	for range 1000 {
		if _, is, err := list.Find(t.Context(), "b", time.Minute); !errors.Is(err, errDown) || is != snapshot.Unknown {
			t.Fatalf("%d, %v: what breaks off says nothing of what is missing", is, err)
		}
	}
	if s.loads != 2 {
		t.Errorf("%d loads, want 2", s.loads)
	}
	expect(t, list, "a", 2*time.Hour, "1", snapshot.Present) // the one before is still good for who is content with it
	s.err = nil
	s.clock.Step(time.Second)
	expect(t, list, "b", time.Minute, "", snapshot.Absent)
}

// TestLoadsEndOnceAllThatIsWantedWasFound: what stands behind it is not known.
func TestLoadsEndOnceAllThatIsWantedWasFound(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wanted   []string
		read     int
		presence snapshot.Presence // of what is not there
	}{
		"all found":     {wanted: []string{"b", "a"}, read: 2, presence: snapshot.Unknown},
		"one not there": {wanted: []string{"a", "x"}, read: 4, presence: snapshot.Absent},
		"nothing known": {read: 4, presence: snapshot.Absent},
	} {
		read := 0
		list := snapshot.New(clocktesting.NewFakeClock(time.Now()), snapshot.Source[[2]string]{
			Load: func(context.Context) iter.Seq2[[2]string, error] {
				return func(yield func([2]string, error) bool) {
					for _, key := range []string{"a", "b", "c", "d"} {
						if read++; !yield([2]string{key, "1"}, nil) {
							return
						}
					}
				}
			},
			Key:    func(v [2]string) string { return v[0] },
			Keep:   func(string) bool { return true },
			Wanted: func() []string { return tc.wanted },
		})
		expect(t, list, "a", time.Minute, "1", snapshot.Present)
		expect(t, list, "x", time.Minute, "", tc.presence)
		if read != tc.read {
			t.Errorf("%s: read %d, want %d", name, read, tc.read)
		}
	}
}

// TestIdle: only who looks something up has wanted to know.
func TestIdle(t *testing.T) {
	t.Parallel()
	s := newServer(map[string]string{"a": "1"})
	list := s.list()
	idle := func(want bool, when string) {
		t.Helper()
		if got := list.Idle(time.Minute); got != want {
			t.Errorf("%s: idle is %t, want %t", when, got, want)
		}
	}
	idle(false, "new")
	s.clock.Step(time.Minute)
	idle(true, "never asked")
	expect(t, list, "a", time.Hour, "1", snapshot.Present)
	idle(false, "asked, and loaded")
	s.clock.Step(time.Minute)
	idle(true, "asked long ago")
	expect(t, list, "a", time.Hour, "1", snapshot.Present)
	idle(false, "asked, and not loaded")
	s.clock.Step(time.Minute)
	list.Put("a", [2]string{"a", "2"})
	list.Fresh(time.Hour)
	s.during = func() { idle(false, "in the middle of a load") }
	if err := list.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	idle(true, "written and loaded, and not asked")
}

// TestWaiters: all who come during a load wait for it, and who waits for somebody
// who was sent away himself takes his turn.
func TestWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(map[string]string{"a": "1"})
		list, release := s.list(), make(chan struct{})
		s.during, s.err = func() { <-release }, errPersonal
		failed := make(chan error)
		go func() {
			_, _, err := list.Find(t.Context(), "a", time.Minute)
			failed <- err
		}()
		synctest.Wait()
		found := make(chan snapshot.Presence)
		for range 10 {
			go func() {
				_, is, _ := list.Find(t.Context(), "a", time.Minute)
				found <- is
			}()
		}
		synctest.Wait()
		s.mu.Lock()
		s.err, s.during = nil, nil
		s.mu.Unlock()
		close(release)
		if err := <-failed; !errors.Is(err, errPersonal) {
			t.Errorf("the first got %v", err)
		}
		for range 10 {
			if is := <-found; is != snapshot.Present {
				t.Errorf("one who waited got %d", is)
			}
		}
		if s.loads != 2 {
			t.Errorf("%d loads, want 2", s.loads)
		}
	})
}
