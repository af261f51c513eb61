package simulator

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// limiter is the rate limit of one environment; nil is none.
type limiter = rate.Limiter

func newLimiter(perSecond float64, burst int) *limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(burst, 1))
}

// throttle refuses a call that comes too early, and says how long to wait.
func (e *environment) throttle(now time.Time) error {
	if e.limiter == nil {
		return nil
	}
	reservation := e.limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	reservation.CancelAt(now) // a refused call costs nothing
	r := refuse(http.StatusTooManyRequests, codeRateLimit, "more than %v requests per second", e.limiter.Limit())
	r.retryAfter = strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return r
}
