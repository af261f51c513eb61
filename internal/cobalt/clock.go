package cobalt

import (
	"net/http"
	"sync/atomic"
	"time"
)

// serverClock is the clock of the API, as the Date headers of its answers show it, to the second.
type serverClock struct {
	now func() time.Time
	// ahead is how far it is ahead of ours; 0 until an answer has come.
	ahead atomic.Int64
}

// saw takes the time of an answer that has just come.
func (c *serverClock) saw(header http.Header) {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		c.ahead.Store(int64(date.Sub(c.now().Truncate(time.Second))))
	}
}

// Now is the time by the API's clock, by which it says when something was created.
func (c *Client) Now() time.Time {
	return c.clock.now().Add(time.Duration(c.clock.ahead.Load()))
}
