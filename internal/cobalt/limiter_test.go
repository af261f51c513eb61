package cobalt_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// fakeClock stands still until a test moves it. Who waits for it moves it
// too, as if alone in the world.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration // longest wait
}

func newClock() *fakeClock { return &fakeClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = max(c.slept, d)
	c.now = c.now.Add(d)
	done := make(chan time.Time, 1)
	done <- c.now
	return done
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ask asks for one call, as a pass of its own. It returns 0 if the call may be made.
func ask(t *testing.T, l *cobalt.Limiter, lane cobalt.Lane, id string) time.Duration {
	t.Helper()
	return askIn(cobalt.WithCaller(t.Context(), lane, id), t, l)
}

func askIn(pass context.Context, t *testing.T, l *cobalt.Limiter) time.Duration {
	t.Helper()
	err := l.Wait(pass)
	var held *cobalt.ThrottledError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &held) && held.After > 0:
		return held.After
	}
	t.Fatalf("Wait: %v", err)
	return 0
}

func passes(t *testing.T, l *cobalt.Limiter, lane cobalt.Lane, id string) {
	t.Helper()
	if after := ask(t, l, lane, id); after != 0 {
		t.Errorf("%s was told to come back in %s, want it to pass", id, after)
	}
}

func isHeld(t *testing.T, l *cobalt.Limiter, lane cobalt.Lane, id string, want time.Duration) {
	t.Helper()
	if after := ask(t, l, lane, id); (after - want).Abs() > time.Millisecond {
		t.Errorf("%s was told to come back in %s, want %s", id, after, want)
	}
}

func TestLimiterSpacesEstimates(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := cobalt.NewLimiter(2, 2, clock)
	passes(t, l, cobalt.Foreground, "a")
	passes(t, l, cobalt.Foreground, "b")
	for i := range 4 {
		isHeld(t, l, cobalt.Foreground, fmt.Sprint("c", i), time.Duration(i+1)*500*time.Millisecond)
	}
	clock.move(200 * time.Millisecond)
	isHeld(t, l, cobalt.Foreground, "c1", 800*time.Millisecond) // early: neither pushed back nor counted twice
	isHeld(t, l, cobalt.Foreground, "c1", 800*time.Millisecond)
	isHeld(t, l, cobalt.Foreground, "c4", 2300*time.Millisecond)
	clock.move(300 * time.Millisecond)
	isHeld(t, l, cobalt.Foreground, "new", 2500*time.Millisecond) // although there is a token: it is c0's
	passes(t, l, cobalt.Foreground, "c0")
}

func TestLimiterDoesNotServeNewcomersFirst(t *testing.T) {
	t.Parallel()
	for _, burst := range []int{1, 2, 4} {
		clock := newClock()
		l := cobalt.NewLimiter(1, burst, clock)
		for i := range burst {
			passes(t, l, cobalt.Foreground, fmt.Sprint("first", i))
		}
		isHeld(t, l, cobalt.Foreground, "patient", time.Second)
		clock.move(time.Second + time.Millisecond)
		if ask(t, l, cobalt.Foreground, "newcomer") == 0 {
			t.Errorf("burst %d: a newcomer overtook a caller who came back in time", burst)
		}
		passes(t, l, cobalt.Foreground, "patient")
	}
}

func TestLimiterServesTheForegroundFirst(t *testing.T) {
	t.Parallel()
	l := cobalt.NewLimiter(1, 1, newClock())
	passes(t, l, cobalt.Background, "first")
	isHeld(t, l, cobalt.Background, "b0", time.Second)
	isHeld(t, l, cobalt.Background, "b1", 2*time.Second)
	for i := range 4 {
		isHeld(t, l, cobalt.Foreground, fmt.Sprint("f", i), time.Duration(i+1)*time.Second)
	}
	isHeld(t, l, cobalt.Foreground, "f4", 6*time.Second)
	isHeld(t, l, cobalt.Background, "b0", 5*time.Second)
	isHeld(t, l, cobalt.Background, "b1", 7*time.Second)
}

// TestLimiterLetsTenantsTakeTurns: who has few callers does not wait behind all of those who have many.
func TestLimiterLetsTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	for name, lane := range map[string]cobalt.Lane{"Foreground": cobalt.Foreground, "Background": cobalt.Background} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := cobalt.NewLimiter(1, 1, newClock())
			of := func(tenant, id string, want time.Duration) {
				t.Helper()
				pass := cobalt.WithCaller(cobalt.WithTenant(t.Context(), tenant), lane, tenant+id)
				if after := askIn(pass, t, l); (after - want).Abs() > time.Millisecond {
					t.Errorf("%s of %s was told to come back in %s, want %s", id, tenant, after, want)
				}
			}
			of("greedy", "0", 0)
			for i := range 20 {
				of("greedy", fmt.Sprint(i+1), time.Duration(i+1)*time.Second)
			}
			of("modest", "0", time.Second)
			of("modest", "1", 3*time.Second)
			of("third", "0", 2*time.Second)
			of("greedy", "1", 3*time.Second)
			of("modest", "1", 4*time.Second)
			of("greedy", "2", 5*time.Second)
			of("greedy", "20", 23*time.Second)
		})
	}
}

// TestLimiterCountsCallsAndNotPasses: a tenant whose passes take many calls gets no more of them than others.
func TestLimiterCountsCallsAndNotPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, calls := cobalt.NewLimiter(10, 4, nil), map[string]int{}
		var group sync.WaitGroup
		var mu sync.Mutex
		end := time.Now().Add(2 * time.Minute)
		for tenant, perPass := range map[string]int{"short": 1, "long": 4} {
			for i := range 10 {
				group.Go(func() {
					for time.Now().Before(end) {
						pass := cobalt.WithCaller(cobalt.WithTenant(t.Context(), tenant), cobalt.Foreground, fmt.Sprint(tenant, i))
						for range perPass {
							if err := l.Wait(pass); err != nil {
								time.Sleep(cobalt.RetryAfter(err))
								break
							}
							mu.Lock()
							calls[tenant]++
							mu.Unlock()
						}
					}
				})
			}
		}
		group.Wait()
		if share := float64(calls["long"]) / float64(calls["long"]+calls["short"]); share < 0.35 || share > 0.65 {
			t.Errorf("passes of four calls got %.2f of all, want about half: %v", share, calls)
		}
	})
}

func TestLimiterForgetsThoseWhoDoNotComeBack(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := cobalt.NewLimiter(1, 1, clock)
	passes(t, l, cobalt.Foreground, "a")
	isHeld(t, l, cobalt.Foreground, "gone", time.Second)
	isHeld(t, l, cobalt.Foreground, "b", 2*time.Second)
	clock.move(2*time.Second + time.Millisecond)
	passes(t, l, cobalt.Foreground, "b")
	clock.move(11 * time.Second)
	passes(t, l, cobalt.Foreground, "c")
	isHeld(t, l, cobalt.Foreground, "d", time.Second)
}

func TestLimiterSleepsBriefly(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := cobalt.NewLimiter(10, 1, clock)
	for i := range 20 {
		passes(t, l, cobalt.Foreground, fmt.Sprint(i))
	}
	if clock.slept > 101*time.Millisecond {
		t.Errorf("a caller slept for %s", clock.slept)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with a canceled context: %v", err)
	}
}

func TestLimiterLetsAPassFinish(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := cobalt.NewLimiter(1, 4, clock)
	for i := range 4 {
		passes(t, l, cobalt.Foreground, fmt.Sprint(i))
	}
	// A crowd wants one call each; the pass wants three, and starts over
	// whenever one of them is held back.
	type visit struct {
		id string
		at time.Time
	}
	start := clock.Now()
	agenda := []visit{{id: "pass", at: start}}
	for i := range 20 {
		agenda = append(agenda, visit{id: fmt.Sprint("crowd", i), at: start})
	}
	for len(agenda) > 0 {
		slices.SortStableFunc(agenda, func(a, b visit) int { return a.at.Compare(b.at) })
		next := agenda[0]
		agenda = agenda[1:]
		clock.move(max(next.at.Sub(clock.Now()), 0))
		calls, after := 1, time.Duration(0)
		if next.id == "pass" {
			calls = 3
		}
		pass := cobalt.WithCaller(t.Context(), cobalt.Foreground, next.id)
		for range calls {
			if after = askIn(pass, t, l); after != 0 {
				agenda = append(agenda, visit{id: next.id, at: clock.Now().Add(after)})
				break
			}
		}
		if next.id == "pass" && after == 0 {
			if took := clock.Now().Sub(start); took > 15*time.Second {
				t.Errorf("the pass took %s", took)
			}
			return
		}
	}
	t.Error("the pass never finished")
}

func TestLimiterKeepsRetryAfter(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := cobalt.NewLimiter(10, 4, clock)
	l.Throttled(30 * time.Second)
	l.Throttled(20 * time.Second) // was under way at the time
	if now, limit := l.Rate(); now != 5 || limit != 10 {
		t.Errorf("Rate: %v of %v, want half", now, limit)
	}
	for i, lane := range []cobalt.Lane{cobalt.Foreground, cobalt.Foreground, cobalt.Background} {
		isHeld(t, l, lane, fmt.Sprint(i), 30*time.Second+time.Duration(i)*200*time.Millisecond)
	}
	clock.move(30*time.Second - 200*time.Millisecond)
	isHeld(t, l, cobalt.Foreground, "0", 200*time.Millisecond)
	clock.move(200 * time.Millisecond)
	passes(t, l, cobalt.Foreground, "0")
	isHeld(t, l, cobalt.Foreground, "1", 200*time.Millisecond)
	isHeld(t, l, cobalt.Background, "2", 400*time.Millisecond)
}

func TestLimiterHalvesAndRecovers(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := cobalt.NewLimiter(8, 4, clock)
	for range 20 {
		l.Throttled(0)
		clock.move(time.Second)
	}
	if now, _ := l.Rate(); now != 8.0/32 {
		t.Errorf("after many refusals: %v, want 1/32 of the limit", now)
	}
	var took time.Duration
	for now, limit := l.Rate(); now < limit && took < 5*time.Minute; now, limit = l.Rate() {
		clock.move(time.Second)
		took += time.Second
		l.Succeeded()
	}
	if took < 50*time.Second || took > 70*time.Second {
		t.Errorf("recovered in %s, want about a minute", took)
	}
	l.Throttled(time.Second)
	l.SetLimit(20, 2)
	if now, limit := l.Rate(); now != 10 || limit != 20 {
		t.Errorf("after SetLimit: %v of %v, want 10 of 20", now, limit)
	}
}

// crowd is a work queue of callers who come back when they are told to. It
// lives in a synctest bubble, where time passes only while all of them wait.
type crowd struct {
	limiter *cobalt.Limiter
	group   sync.WaitGroup
	mu      sync.Mutex
	passed  [2][]time.Time // by lane
}

// join adds n callers, each of whom makes one call, or calls until end.
func (c *crowd) join(ctx context.Context, lane cobalt.Lane, n int, end time.Time) {
	for i := range n {
		c.group.Go(func() {
			for again := true; again; again = time.Now().Before(end) {
				c.call(ctx, lane, fmt.Sprint(i))
			}
		})
	}
}

func (c *crowd) call(ctx context.Context, lane cobalt.Lane, id string) {
	for {
		err := c.limiter.Wait(cobalt.WithCaller(ctx, lane, id))
		if err == nil {
			break
		}
		lateness := time.Duration(rand.Int63n(int64(5 * time.Millisecond)))
		time.Sleep(cobalt.RetryAfter(err) + lateness)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed[lane] = append(c.passed[lane], time.Now())
}

func TestLimiterUsesTheWholeRateAndNoMore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rate  float64
		burst int
		calls int
	}{
		"Default":      {rate: 10, burst: 4, calls: 1000},
		"NoBurst":      {rate: 10, burst: 1, calls: 200},
		"Slow":         {rate: 2, burst: 2, calls: 200},
		"Fast":         {rate: 50, burst: 10, calls: 300},
		"SlowNoBurst":  {rate: 1, burst: 1, calls: 100},
		"VendorsLimit": {rate: 20, burst: 5, calls: 300},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{limiter: cobalt.NewLimiter(tc.rate, tc.burst, nil)}
				start := time.Now()
				c.join(t.Context(), cobalt.Foreground, tc.calls*3/10, start)
				c.join(t.Context(), cobalt.Background, tc.calls*7/10, start)
				c.group.Wait()
				all := slices.SortedFunc(slices.Values(slices.Concat(c.passed[:]...)), time.Time.Compare)
				ideal := time.Duration(float64(tc.calls-tc.burst) / tc.rate * float64(time.Second))
				if took := time.Since(start); took > ideal*100/95 {
					t.Errorf("took %s, want at most 5%% more than %s", took, ideal)
				}
				for i := range all {
					for j := i; j < len(all); j++ {
						most := tc.rate*all[j].Sub(all[i]).Seconds() + float64(tc.burst) + 1e-6
						if n := float64(j - i + 1); n > most {
							t.Fatalf("%v calls in %s, want at most %v", n, all[j].Sub(all[i]), most)
						}
					}
				}
			})
		})
	}
}

func TestLimiterLanesShare(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		foreground, background int
		atLeast, atMost        float64 // share of the background
	}{
		"BothBusy":       {foreground: 50, background: 50, atLeast: 0.10, atMost: 0.50},
		"FewForeground":  {foreground: 2, background: 100, atLeast: 0.10, atMost: 0.50},
		"OnlyBackground": {background: 50, atLeast: 1, atMost: 1},
		"OnlyForeground": {foreground: 50, atLeast: 0, atMost: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{limiter: cobalt.NewLimiter(10, 4, nil)}
				end := time.Now().Add(2 * time.Minute)
				c.join(t.Context(), cobalt.Background, tc.background, end)
				c.join(t.Context(), cobalt.Foreground, tc.foreground, end)
				c.group.Wait()
				inTime := func(lane cobalt.Lane) float64 {
					passed := c.passed[lane]
					late := func(at time.Time) bool { return at.After(end) } // when callers have begun to leave
					return float64(len(slices.DeleteFunc(slices.Clone(passed), late)))
				}
				foreground, background := inTime(cobalt.Foreground), inTime(cobalt.Background)
				if share := background / (foreground + background); share < tc.atLeast || share > tc.atMost {
					t.Errorf("the background got %.2f, want %.2f to %.2f", share, tc.atLeast, tc.atMost)
				}
				if used := (foreground + background) / 1200; used < 0.95 || used > 1.01 {
					t.Errorf("used %.2f of the rate", used)
				}
			})
		})
	}
}

func TestLimiterIsConcurrent(t *testing.T) {
	t.Parallel()
	l := cobalt.NewLimiter(1e6, 10, nil)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for j := range 50 {
				lane := cobalt.Lane(j % 2)
				if err := l.Wait(cobalt.WithCaller(t.Context(), lane, fmt.Sprint(i))); err != nil {
					t.Errorf("Wait: %v", err)
				}
				l.Succeeded()
				l.SetLimit(1e6, 10+j%2)
			}
		})
	}
	group.Wait()
}

// TestListOutlastsTheLimiter: a list of more pages than tokens must come to its
// end, each page once.
func TestListOutlastsTheLimiter(t *testing.T) {
	t.Parallel()
	const pages = 30
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		answer(200, fmt.Sprintf(`{"docs":[{"_id":"a%d"}],"page":%d,"totalPages":%d}`, asked, asked, pages))(w, r)
	}))
	t.Cleanup(server.Close)
	c := connect(t, cobalt.Options{BaseURL: server.URL, Limiter: cobalt.NewLimiter(2, 4, newClock())})
	count := 0
	for _, err := range c.ListLinkedAccounts(t.Context()) {
		if err != nil {
			t.Fatalf("after %d accounts: %v", count, err)
		}
		count++
	}
	if count != pages || asked != pages {
		t.Errorf("%d accounts in %d calls, want %d of each", count, asked, pages)
	}
}

// TestListDoesNotSleepThroughRetryAfter: somebody who waits for an hour between two
// pages would keep all others waiting who need the list.
func TestListDoesNotSleepThroughRetryAfter(t *testing.T) {
	t.Parallel()
	clock := newClock()
	limiter := cobalt.NewLimiter(10, 4, clock)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limiter.Throttled(time.Hour) // as the API asks somebody else meanwhile
		answer(200, `{"docs":[{"_id":"1"}],"hasNextPage":true}`)(w, r)
	}))
	t.Cleanup(server.Close)
	err := last(connect(t, cobalt.Options{BaseURL: server.URL, Limiter: limiter}).ListLinkedAccounts(t.Context()))
	if !cobalt.IsThrottled(err) || cobalt.RetryAfter(err) < 59*time.Minute {
		t.Errorf("the list ended with %v, want to be told to come back in an hour", err)
	}
	if clock.slept > 30*time.Second {
		t.Errorf("it slept for %s", clock.slept)
	}
}
