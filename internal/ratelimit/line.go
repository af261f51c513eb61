package ratelimit

import (
	"slices"
	"sort"
	"time"
)

// line are the tickets of a lane in the order of their seats. They stand in blocks that
// know how many calls theirs want: whoever asks how many go before goes through the
// blocks, and not through all who wait, of whom there may be tens of thousands.
type line struct{ blocks []*block }

// mostInBlock is how many tickets stand in a block before it is divided.
const mostInBlock = 256

type block struct {
	tickets []*ticket
	// due and all are the calls that its tickets want: those whose time has come, and all.
	due, all int
	// until is when a ticket becomes due or expires next; zero if they are to be counted anew.
	until time.Time
}

// never is later than any time by which a ticket is due.
var never = time.Unix(1<<40, 0)

func (b *block) recount() { b.until = time.Time{} }

// add puts a ticket into its place.
func (l *line) add(t *ticket) {
	at := sort.Search(len(l.blocks), func(i int) bool {
		last := l.blocks[i].tickets[len(l.blocks[i].tickets)-1]
		return t.seat.before(last.seat)
	})
	switch {
	case len(l.blocks) == 0:
		l.blocks = []*block{{}}
	case at == len(l.blocks):
		at--
	}
	b := l.blocks[at]
	place := sort.Search(len(b.tickets), func(i int) bool { return t.seat.before(b.tickets[i].seat) })
	b.tickets, t.block = slices.Insert(b.tickets, place, t), b
	b.recount()
	if len(b.tickets) > mostInBlock {
		l.divide(at)
	}
}

// divide makes two blocks of one.
func (l *line) divide(at int) {
	b, half := l.blocks[at], len(l.blocks[at].tickets)/2
	behind := &block{tickets: slices.Clone(b.tickets[half:])}
	for _, t := range behind.tickets {
		t.block = behind
	}
	b.tickets = slices.Delete(b.tickets, half, len(b.tickets))
	l.blocks = slices.Insert(l.blocks, at+1, behind)
}

// remove takes a ticket out of the line.
func (l *line) remove(t *ticket) {
	b := t.block
	b.tickets = slices.DeleteFunc(b.tickets, func(o *ticket) bool { return o == t })
	b.recount()
	l.close()
}

// close takes out the blocks in which nobody stands.
func (l *line) close() {
	l.blocks = slices.DeleteFunc(l.blocks, func(b *block) bool { return len(b.tickets) == 0 })
}

// sweep brings the sums of all blocks up to date, and takes out and returns the tickets
// that have expired.
func (l *line) sweep(now time.Time) (expired []*ticket) {
	for _, b := range l.blocks {
		if !now.Before(b.until) {
			expired = append(expired, b.count(now)...)
		}
	}
	if len(expired) > 0 {
		l.close()
	}
	return expired
}

// count takes out and returns the tickets that have expired, and sums up the others.
func (b *block) count(now time.Time) (expired []*ticket) {
	b.tickets = slices.DeleteFunc(b.tickets, func(t *ticket) bool {
		over := t.expired(now)
		if over {
			expired = append(expired, t)
		}
		return over
	})
	b.due, b.all, b.until = 0, 0, never
	for _, t := range b.tickets {
		b.all += t.need
		next := t.due.Add(-rounding)
		if t.isDue(now) {
			b.due += t.need
			next = t.due.Add(ticketLife + 1)
		}
		if next.Before(b.until) {
			b.until = next
		}
	}
	return expired
}

// isDue tells whether the time of a ticket has come.
func (t *ticket) isDue(now time.Time) bool { return !t.due.After(now.Add(rounding)) }

// total are the calls that all want in a line that was swept.
func (l *line) total() (due, all int) {
	for _, b := range l.blocks {
		due, all = due+b.due, all+b.all
	}
	return due, all
}

// before are the calls that those want who stand before t in a line that was swept.
func (l *line) before(t *ticket, now time.Time) (due, all int) {
	for _, b := range l.blocks {
		if b != t.block {
			due, all = due+b.due, all+b.all
			continue
		}
		for _, o := range b.tickets {
			if !o.seat.before(t.seat) {
				break
			}
			all += o.need
			if o.isDue(now) {
				due += o.need
			}
		}
		break
	}
	return due, all
}
