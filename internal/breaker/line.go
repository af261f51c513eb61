package breaker

// line are the objects of one environment and kind that wait for a worker. The nil line
// is empty.
type line struct {
	// wanted wait for a worker before others do. Who has become wanted since it began to
	// wait stands in both, and counts once.
	wanted, others []Waiter
	queued         map[Waiter]bool // and whether they are wanted
}

func newLine() *line { return &line{queued: map[Waiter]bool{}} }

func (l *line) join(who Waiter, wanted bool) {
	queued, already := l.queued[who]
	if already && (queued || !wanted) {
		return
	}
	l.queued[who] = wanted
	if wanted {
		l.wanted = append(l.wanted, who)
	} else {
		l.others = append(l.others, who)
	}
}

func (l *line) quit(who Waiter) {
	if l != nil {
		delete(l.queued, who)
	}
}

func (l *line) len() int {
	if l == nil {
		return 0
	}
	return len(l.queued)
}

// isWanted tells whether somebody waits for the first in the line.
func (l *line) isWanted() bool {
	l.wanted = l.skip(l.wanted)
	return len(l.wanted) > 0
}

// pop takes out whose turn it is. The line must not be empty.
func (l *line) pop() (next Waiter, wanted bool) {
	queue := &l.wanted
	if !l.isWanted() {
		l.others = l.skip(l.others)
		queue = &l.others
	}
	next, *queue = (*queue)[0], (*queue)[1:]
	wanted = l.queued[next]
	delete(l.queued, next)
	return next, wanted
}

// skip leaves out those at the head who have quit.
func (l *line) skip(queue []Waiter) []Waiter {
	for len(queue) > 0 {
		if _, ok := l.queued[queue[0]]; ok {
			return queue
		}
		queue = queue[1:]
	}
	return nil
}
