package stories

import (
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// limited is an environment with the rate limit that it has if nothing is said.
func (w *world) limited() *v1alpha1.Environment {
	GinkgoHelper()
	env := w.environment()
	env.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: 10, Burst: 4}
	w.create(w.keySecret(goodKey), env)
	w.ready(env)
	return env
}

// patience is how many looks goOn takes at workers that neither end nor all wait for the
// clock: one of them may wait for what another is loading, and that one for the clock.
const patience = 50

// goOn has time pass, each step once all that has begun waits for it, until done tells.
func (w *world) goOn(step time.Duration, done func() bool) {
	GinkgoHelper()
	looks := 0
	Eventually(func() bool {
		looks++
		waiting := w.time.HasWaiters()
		if w.time.Asleep() && (waiting || w.time.Idle()) || waiting && looks >= patience {
			w.time.Advance(step)
			looks = 0
		}
		return done()
	}).WithPolling(time.Millisecond).WithTimeout(3 * time.Minute).Should(BeTrue())
}

// goOnFor has so much time pass.
func (w *world) goOnFor(step, d time.Duration) {
	GinkgoHelper()
	end := w.time.Now().Add(d)
	w.goOn(step, func() bool { return !w.time.Now().Before(end) })
}

// attempts are the times of the calls of an operation for an account.
func (w *world) attempts(operation, account string) []time.Time {
	var times []time.Time
	for _, call := range w.sim.Log() {
		if call.Operation == operation && call.LinkedAccountID == account {
			times = append(times, call.Time)
		}
	}
	return times
}

// taken waits, while time stands still, until the operator knows of a change of obj.
func (w *world) taken(obj client.Object, mutate func()) {
	GinkgoHelper()
	before := w.passes(obj)
	w.change(obj, mutate)
	Eventually(func() bool {
		_, planned := w.delay(obj)
		return !planned || w.passes(obj) > before
	}).Should(BeTrue())
}

var _ = Describe("Sixty objects that fail", enumeration, func() {
	const each, healthy = 12, 60
	fails := []simulator.Fault{
		{Operation: "migrateToken", Status: 500}, {Operation: "createHostedPortalUrl", Status: 401},
		{Operation: "updateConfig", Status: 500}, {Operation: "createWebhook", Status: 409},
	}
	It("leave the calls to sixty that do not, and each comes back after pauses of its own that grow", func() {
		w := newWorld()
		env := w.limited()
		var well []*v1alpha1.LinkedAccount
		for i := range healthy {
			well = append(well, w.account(fmt.Sprintf("healthy-%d", i)))
			w.create(well[i])
		}
		ready := 0
		w.goOn(50*time.Millisecond, func() bool { // an object that found no worker comes back with time
			w.read(well[ready])
			if meta.IsStatusConditionTrue(well[ready].Status.Conditions, v1alpha1.ConditionReady) {
				ready++
			}
			return ready == len(well)
		})
		w.create(w.secret("oauth", map[string]string{"token": "hunter2-oauth"}))
		for _, fault := range fails {
			w.sim.Inject(fault)
		}
		for i := range each {
			portal := fmt.Sprintf("portal-%d", i)
			w.create(
				w.account(fmt.Sprintf("migrate-%d", i), migrating("hubspot", "oauth", "")),
				w.account(portal, tokenIn(portal), withPortal),
				w.config(fmt.Sprintf("config-%d", i), of(well[i].Name), field("owner_email", `"a@acme.example"`), field("deal_stage", `"won"`), field("sync_interval_minutes", `5`)),
				w.webhook(fmt.Sprintf("hook-%d", i), of(well[i].Name), "Workflow Errored"),
				w.config(fmt.Sprintf("ghost-%d", i), ofID(fmt.Sprintf("ghost-%d", i))),
			)
		}
		w.time.Hold() // or sleeping for a turn would cost nothing
		w.goOnFor(50*time.Millisecond, time.Minute)

		By("renaming those that are well")
		var delays []time.Duration
		for i, obj := range well[each : each+20] {
			since := w.time.Now()
			w.taken(obj, func() { obj.Spec.Name = fmt.Sprint("Acme ", i) })
			w.goOn(50*time.Millisecond, func() bool {
				remote := w.remote(obj.Name)
				return remote != nil && remote.Name == obj.Spec.Name
			})
			delays = append(delays, w.time.Now().Sub(since))
		}
		slices.Sort(delays)
		Expect(delays[len(delays)*95/100-1]).To(BeNumerically("<", 2*time.Second), "%v", delays)
		w.ready(env)

		By("leaving them alone for a quarter of an hour")
		w.goOnFor(500*time.Millisecond, 15*time.Minute)
		for _, fault := range fails {
			count := w.sim.Calls()[fault.Operation]
			Expect(count).To(BeNumerically("<=", 12*each), "after 1, 2, 4 ... 300 s, by account: %s", fault.Operation)
			Expect(count).To(BeNumerically(">=", 9*each), fault.Operation)
		}
		for i := range each {
			attempts := w.attempts("updateConfig", well[i].Name)
			Expect(len(attempts)).To(BeNumerically(">=", 9))
			for n := range len(attempts) - 1 {
				pause := min(time.Second<<n, 5*time.Minute)
				Expect(attempts[n+1].Sub(attempts[n])).To(BeNumerically(">=", pause), "%v", attempts)
			}
		}
	})
})
