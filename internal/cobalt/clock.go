package cobalt

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// serverClock is the clock of the API, as the Date headers of its answers show it, to the second.
type serverClock struct {
	now func() time.Time

	mu sync.Mutex
	// date is that of the last good answer, which has come at seen by our clock; zero until one has.
	date, seen time.Time
}

// saw takes the time of a good answer that has just come. One from a cache is older by its age.
func (c *serverClock) saw(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	if age, err := strconv.Atoi(header.Get("Age")); err == nil && age > 0 {
		date = date.Add(time.Duration(min(age, longestAge)) * time.Second)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.seen = date, c.now()
}

// longestAge is that of an answer in a cache, in seconds: a year, as nothing older is kept.
const longestAge = 365 * 24 * 60 * 60

// Now is the time by the API's clock, by which it says when something was created. If our clock
// is set meanwhile, or the machine was paused, it is the later of what the time of day and the
// time that has passed say: what others made before must not be taken for our own.
func (c *Client) Now() time.Time { return c.clock.time() }

func (c *serverClock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.date.IsZero() {
		return now
	}
	passed := max(now.Sub(c.seen), now.Round(0).Sub(c.seen.Round(0)), 0) // Round leaves the time of day alone
	return c.date.Add(passed)
}
