package ratelimit

import (
	"context"
	"maps"
	"time"
)

// Lane is how urgent a call is.
type Lane int

// Foreground calls somebody waits for; they go first. Background calls look for
// drift; they get a fifth of the calls while others wait, and all otherwise.
const (
	Foreground Lane = iota
	Background
)

// foregroundShare is how many foreground calls go for one in the background.
const foregroundShare = 4

type (
	callerKey struct{}
	tenantKey struct{}
)

// caller is one pass of somebody's work.
type caller struct {
	place
	calls  int  // that passed so far
	seated bool // seat is set
	seat   seat // kept to the end of the pass
}

// place is a place in the queue: callers who share one share a ticket.
type place struct {
	crowd
	id string
}

// crowd are the callers of one tenant in a lane.
type crowd struct {
	lane   Lane
	tenant string
}

// seat is a turn in a lane. Each crowd has one call in each round; within a round, who
// came first goes first.
type seat struct{ round, sequence int }

func (s seat) before(o seat) bool {
	return s.round < o.round || s.round == o.round && s.sequence < o.sequence
}

// WithTenant says for whom the callers under the returned context work. In each lane the
// tenants take turns, so that one with many callers does not hold up the others.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// WithCaller says who makes the calls under the returned context: a lane, and
// an id that stays the same whenever the same work is tried again. Each try
// should start from a context of its own, whose calls keep one place in the
// queue. Without it, calls are of the Foreground and one nameless caller.
func WithCaller(ctx context.Context, lane Lane, id string) context.Context {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return context.WithValue(ctx, callerKey{}, &caller{place: place{crowd{lane, tenant}, id}})
}

func callerOf(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{}
}

// ticket is the right to go before whoever has a later seat in the same lane.
type ticket struct {
	place
	seat  seat
	need  int       // calls it is good for
	due   time.Time // when its holder was told to come
	block *block    // where it stands in the line of its lane
}

// queue holds the tickets of those who were told to come back.
type queue struct {
	tickets  map[place]*ticket
	lines    [Background + 1]line
	sequence int
	served   int // foreground calls since the last one in the background, at most foregroundShare
	// rounds are those that the lanes are in, next the first that a crowd has had no call in.
	rounds [Background + 1]int
	next   map[crowd]int
}

// ticket returns the caller's ticket, a new one if need be.
func (q *queue) ticket(c *caller, now time.Time) *ticket {
	if t, ok := q.tickets[c.place]; ok && !t.expired(now) {
		return t
	}
	if !c.seated {
		q.sequence++
		c.seated, c.seat = true, seat{q.take(c.crowd), q.sequence}
	}
	q.drop(q.tickets[c.place])
	t := &ticket{place: c.place, seat: c.seat, need: 1, due: now}
	q.tickets[c.place] = t
	q.lines[t.lane].add(t)
	return t
}

// drop takes a ticket away, if there is one.
func (q *queue) drop(t *ticket) {
	if t != nil {
		delete(q.tickets, t.place)
		q.lines[t.lane].remove(t)
	}
}

// comeAt has a ticket's holder come at a time.
func (t *ticket) comeAt(due time.Time) {
	t.due = due
	t.block.recount()
}

// wants sets how many calls a ticket is good for.
func (t *ticket) wants(calls int) {
	t.need = calls
	t.block.recount()
}

func (t *ticket) expired(now time.Time) bool { return now.After(t.due.Add(ticketLife)) }

// take uses up one round of a crowd. What one did not use is not kept for it.
func (q *queue) take(c crowd) int {
	round := max(q.next[c], q.rounds[c.lane])
	q.next[c] = round + 1
	return round
}

// redeem uses a ticket for one call. Each further call of a pass costs a round as well.
func (q *queue) redeem(t *ticket, c *caller) {
	if c.calls++; c.calls > 1 {
		q.take(t.crowd)
	}
	c.seated, c.seat = true, t.seat
	if t.seat.round > q.rounds[t.lane] {
		q.rounds[t.lane] = t.seat.round
		maps.DeleteFunc(q.next, func(c crowd, next int) bool { return next <= q.rounds[c.lane] })
	}
	if t.wants(t.need - 1); t.need == 0 {
		q.drop(t)
	}
	if t.lane == Background {
		q.served = 0
	} else {
		q.served = min(q.served+1, foregroundShare)
	}
}

// demand is how many calls others want: those ahead in the lane, and all of the
// other lane.
type demand struct{ own, other int }

// ahead returns the demand of tickets whose time has come, and of all. It drops
// the expired ones.
func (q *queue) ahead(t *ticket, now time.Time) (due, all demand) {
	for lane := range q.lines {
		for _, expired := range q.lines[lane].sweep(now) {
			delete(q.tickets, expired.place)
		}
		if Lane(lane) == t.lane {
			due.own, all.own = q.lines[lane].before(t, now)
			continue
		}
		theirDue, theirs := q.lines[lane].total()
		due.other, all.other = due.other+theirDue, all.other+theirs
	}
	return due, all
}

// before returns how many of the calls in d go before the last one of t.
func (q *queue) before(t *ticket, d demand) int {
	last := d.own + t.need - 1
	if t.lane == Background {
		return d.own + min(d.other, max((last+1)*foregroundShare-q.served, 0))
	}
	return d.own + min(d.other, (q.served+last)/foregroundShare)
}
