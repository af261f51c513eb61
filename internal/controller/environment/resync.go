package environment

import (
	"fmt"
	"math"

	"github.com/cobalt-operator/cobalt-operator/internal/environment"
)

// backgroundShare is how much of an environment's rate looks in the background
// may take: half of it stays for what somebody waits for.
const backgroundShare = 0.5

// resyncFactor makes sync intervals as long as it takes for all looks to fit, and
// says so if that is longer than asked for.
func (r *Reconciler[T]) resyncFactor(env T, conn *environment.Connection, asked environment.Load) string {
	interval := env.Settings().SyncInterval.Value(r.Settings.SyncInterval)
	fits := backgroundShare * float64(env.Settings().RateLimit.RequestsPerSecond)
	factor := max(1, math.Ceil(10*asked.PerSecond(interval)/fits)/10) // coarse, so that it seldom changes
	conn.SetResyncFactor(factor)
	conn.View().Snapshots.Sweep(conn.ResyncInterval(interval))
	if factor == 1 {
		return ""
	}
	return fmt.Sprintf("; looking at all objects takes more calls than half of rateLimit, "+
		"so sync intervals are %.1f times as long as asked for", factor)
}
