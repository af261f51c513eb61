package ratelimit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// aheadOf is what ahead says, found by looking at every ticket.
func (q *queue) aheadOf(t *ticket, now time.Time) (due, all demand) {
	for _, o := range q.tickets {
		var d demand
		switch {
		case o == t || o.expired(now):
			continue
		case o.lane != t.lane:
			d.other = o.need
		case o.seat.before(t.seat):
			d.own = o.need
		}
		all.own, all.other = all.own+d.own, all.other+d.other
		if !o.due.After(now.Add(rounding)) {
			due.own, due.other = due.own+d.own, due.other+d.other
		}
	}
	return due, all
}

// TestLineCountsThoseAhead: sums say what a look at each ticket would, whoever comes, is served or stays away, and
// few blocks have to be looked at.
func TestLineCountsThoseAhead(t *testing.T) {
	t.Parallel()
	random, now := rand.New(rand.NewPCG(1, 2)), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	q := queue{tickets: map[place]*ticket{}, next: map[crowd]int{}}
	most := 0
	for i := range 12_000 {
		crowd := crowd{Lane(random.IntN(2)), fmt.Sprint(random.IntN(5))}
		c := &caller{place: place{crowd, fmt.Sprint(random.IntN(2000))}}
		held := q.ticket(c, now)
		due, all := q.ahead(held, now)
		compare := i%40 == 0
		if compare {
			wantDue, wantAll := q.aheadOf(held, now)
			if due != wantDue || all != wantAll {
				t.Fatalf("after %d: %v of %v, want %v of %v", i, due, all, wantDue, wantAll)
			}
		}
		switch random.IntN(4) {
		case 0:
			q.redeem(held, c)
		case 1:
			held.wants(1 + random.IntN(4))
			held.comeAt(now.Add(time.Duration(random.IntN(30_000)) * time.Millisecond))
		default:
			held.comeAt(now.Add(time.Duration(random.IntN(30)) * time.Second))
		}
		now = now.Add(time.Duration(random.IntN(10)) * time.Millisecond)
		most = max(most, len(q.tickets))
		for lane := range q.lines {
			if !compare {
				break
			}
			if blocks := len(q.lines[lane].blocks); blocks > 4*most/mostInBlock+2 {
				t.Fatalf("%d blocks for at most %d tickets", blocks, most)
			}
			for _, b := range q.lines[lane].blocks {
				if len(b.tickets) == 0 || len(b.tickets) > mostInBlock {
					t.Fatalf("a block of %d", len(b.tickets))
				}
			}
		}
	}
	if most < 3000 {
		t.Errorf("only %d have waited", most)
	}
	now = now.Add(time.Hour)
	if q.ahead(q.ticket(&caller{}, now), now); len(q.tickets) != 1 {
		t.Errorf("%d tickets are left of those who stay away", len(q.tickets)-1)
	}
}
