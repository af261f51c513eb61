package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit/clocktest"
)

// ask asks for one call, as a pass of its own. It returns 0 if the call may be made.
func ask(t *testing.T, l *ratelimit.Limiter, lane ratelimit.Lane, id string) time.Duration {
	t.Helper()
	return askIn(ratelimit.WithCaller(t.Context(), lane, id), t, l)
}

func askIn(pass context.Context, t *testing.T, l *ratelimit.Limiter) time.Duration {
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

func passes(t *testing.T, l *ratelimit.Limiter, lane ratelimit.Lane, id string) {
	t.Helper()
	if after := ask(t, l, lane, id); after != 0 {
		t.Errorf("%s was told to come back in %s, want it to pass", id, after)
	}
}

func isHeld(t *testing.T, l *ratelimit.Limiter, lane ratelimit.Lane, id string, want time.Duration) {
	t.Helper()
	if after := ask(t, l, lane, id); (after - want).Abs() > time.Millisecond {
		t.Errorf("%s was told to come back in %s, want %s", id, after, want)
	}
}

func TestLimiterSpacesEstimates(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	l := ratelimit.New(2, 2, clock)
	passes(t, l, ratelimit.Foreground, "a")
	passes(t, l, ratelimit.Foreground, "b")
	for i := range 4 {
		isHeld(t, l, ratelimit.Foreground, fmt.Sprint("c", i), time.Duration(i+1)*500*time.Millisecond)
	}
	clock.Move(200 * time.Millisecond)
	isHeld(t, l, ratelimit.Foreground, "c1", 800*time.Millisecond) // early: neither pushed back nor counted twice
	isHeld(t, l, ratelimit.Foreground, "c1", 800*time.Millisecond)
	isHeld(t, l, ratelimit.Foreground, "c4", 2300*time.Millisecond)
	clock.Move(300 * time.Millisecond)
	isHeld(t, l, ratelimit.Foreground, "new", 2500*time.Millisecond) // although there is a token: it is c0's
	passes(t, l, ratelimit.Foreground, "c0")
}

func TestLimiterDoesNotServeNewcomersFirst(t *testing.T) {
	t.Parallel()
	for _, burst := range []int{1, 2, 4} {
		clock := clocktest.New()
		l := ratelimit.New(1, burst, clock)
		for i := range burst {
			passes(t, l, ratelimit.Foreground, fmt.Sprint("first", i))
		}
		isHeld(t, l, ratelimit.Foreground, "patient", time.Second)
		clock.Move(time.Second + time.Millisecond)
		if ask(t, l, ratelimit.Foreground, "newcomer") == 0 {
			t.Errorf("burst %d: a newcomer overtook a caller who came back in time", burst)
		}
		passes(t, l, ratelimit.Foreground, "patient")
	}
}

func TestLimiterServesTheForegroundFirst(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(1, 1, clocktest.New())
	passes(t, l, ratelimit.Background, "first")
	isHeld(t, l, ratelimit.Background, "b0", time.Second)
	isHeld(t, l, ratelimit.Background, "b1", 2*time.Second)
	for i := range 4 {
		isHeld(t, l, ratelimit.Foreground, fmt.Sprint("f", i), time.Duration(i+1)*time.Second)
	}
	isHeld(t, l, ratelimit.Foreground, "f4", 6*time.Second)
	isHeld(t, l, ratelimit.Background, "b0", 5*time.Second)
	isHeld(t, l, ratelimit.Background, "b1", 7*time.Second)
}

// TestLimiterLetsTenantsTakeTurns: who has few callers does not wait behind all of those who have many.
func TestLimiterLetsTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	for name, lane := range map[string]ratelimit.Lane{"Foreground": ratelimit.Foreground, "Background": ratelimit.Background} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ratelimit.New(1, 1, clocktest.New())
			of := func(tenant, id string, want time.Duration) {
				t.Helper()
				pass := ratelimit.WithCaller(ratelimit.WithTenant(t.Context(), tenant), lane, tenant+id)
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
		l, calls := ratelimit.New(10, 4, nil), map[string]int{}
		var group sync.WaitGroup
		var mu sync.Mutex
		end := time.Now().Add(2 * time.Minute)
		for tenant, perPass := range map[string]int{"short": 1, "long": 4} {
			for i := range 10 {
				group.Go(func() {
					for time.Now().Before(end) {
						pass := ratelimit.WithCaller(ratelimit.WithTenant(t.Context(), tenant), ratelimit.Foreground, fmt.Sprint(tenant, i))
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
	clock := clocktest.New()
	l := ratelimit.New(1, 1, clock)
	passes(t, l, ratelimit.Foreground, "a")
	isHeld(t, l, ratelimit.Foreground, "gone", time.Second)
	isHeld(t, l, ratelimit.Foreground, "b", 2*time.Second)
	clock.Move(2*time.Second + time.Millisecond)
	passes(t, l, ratelimit.Foreground, "b")
	clock.Move(11 * time.Second)
	passes(t, l, ratelimit.Foreground, "c")
	isHeld(t, l, ratelimit.Foreground, "d", time.Second)
}

func TestLimiterSleepsBriefly(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	l := ratelimit.New(10, 1, clock)
	for i := range 20 {
		passes(t, l, ratelimit.Foreground, fmt.Sprint(i))
	}
	if clock.Slept() > 101*time.Millisecond {
		t.Errorf("a caller slept for %s", clock.Slept())
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with a canceled context: %v", err)
	}
}

func TestLimiterLetsAPassFinish(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	l := ratelimit.New(1, 4, clock)
	for i := range 4 {
		passes(t, l, ratelimit.Foreground, fmt.Sprint(i))
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
		clock.Move(max(next.at.Sub(clock.Now()), 0))
		calls, after := 1, time.Duration(0)
		if next.id == "pass" {
			calls = 3
		}
		pass := ratelimit.WithCaller(t.Context(), ratelimit.Foreground, next.id)
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
	clock := clocktest.New()
	l := ratelimit.New(10, 4, clock)
	l.Throttled(30 * time.Second)
	l.Throttled(20 * time.Second) // was under way at the time
	if now, limit := l.Rate(); now != 5 || limit != 10 {
		t.Errorf("Rate: %v of %v, want half", now, limit)
	}
	for i, lane := range []ratelimit.Lane{ratelimit.Foreground, ratelimit.Foreground, ratelimit.Background} {
		isHeld(t, l, lane, fmt.Sprint(i), 30*time.Second+time.Duration(i)*200*time.Millisecond)
	}
	clock.Move(30*time.Second - 200*time.Millisecond)
	isHeld(t, l, ratelimit.Foreground, "0", 200*time.Millisecond)
	clock.Move(200 * time.Millisecond)
	passes(t, l, ratelimit.Foreground, "0")
	isHeld(t, l, ratelimit.Foreground, "1", 200*time.Millisecond)
	isHeld(t, l, ratelimit.Background, "2", 400*time.Millisecond)
}

func TestLimiterHalvesAndRecovers(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	l := ratelimit.New(8, 4, clock)
	for range 20 {
		l.Throttled(0)
		clock.Move(time.Second)
	}
	if now, _ := l.Rate(); now != 8.0/32 {
		t.Errorf("after many refusals: %v, want 1/32 of the limit", now)
	}
	var took time.Duration
	for now, limit := l.Rate(); now < limit && took < 5*time.Minute; now, limit = l.Rate() {
		clock.Move(time.Second)
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
	limiter *ratelimit.Limiter
	group   sync.WaitGroup
	mu      sync.Mutex
	passed  [2][]time.Time // by lane
}

// join adds n callers, each of whom makes one call, or calls until end.
func (c *crowd) join(ctx context.Context, lane ratelimit.Lane, n int, end time.Time) {
	for i := range n {
		c.group.Go(func() {
			for again := true; again; again = time.Now().Before(end) {
				c.call(ctx, lane, fmt.Sprint(i))
			}
		})
	}
}

func (c *crowd) call(ctx context.Context, lane ratelimit.Lane, id string) {
	for {
		err := c.limiter.Wait(ratelimit.WithCaller(ctx, lane, id))
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
				c := &crowd{limiter: ratelimit.New(tc.rate, tc.burst, nil)}
				start := time.Now()
				c.join(t.Context(), ratelimit.Foreground, tc.calls*3/10, start)
				c.join(t.Context(), ratelimit.Background, tc.calls*7/10, start)
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
				c := &crowd{limiter: ratelimit.New(10, 4, nil)}
				end := time.Now().Add(2 * time.Minute)
				c.join(t.Context(), ratelimit.Background, tc.background, end)
				c.join(t.Context(), ratelimit.Foreground, tc.foreground, end)
				c.group.Wait()
				inTime := func(lane ratelimit.Lane) float64 {
					passed := c.passed[lane]
					late := func(at time.Time) bool { return at.After(end) } // when callers have begun to leave
					return float64(len(slices.DeleteFunc(slices.Clone(passed), late)))
				}
				foreground, background := inTime(ratelimit.Foreground), inTime(ratelimit.Background)
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
	l := ratelimit.New(1e6, 10, nil)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for j := range 50 {
				lane := ratelimit.Lane(j % 2)
				if err := l.Wait(ratelimit.WithCaller(t.Context(), lane, fmt.Sprint(i))); err != nil {
					t.Errorf("Wait: %v", err)
				}
				l.Succeeded()
				l.SetLimit(1e6, 10+j%2)
			}
		})
	}
	group.Wait()
}
