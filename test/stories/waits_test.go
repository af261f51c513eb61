package stories

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

var _ = Describe("Objects that wait for their turn", enumeration, func() {
	const connected = "the API answers and accepts the key"

	DescribeTable("write nothing, and their environment says coarsely how many they are and for how long", func(cluster bool) {
		w := newWorld()
		var env client.Object = w.environment()
		if cluster {
			env = w.clusterEnvironment()
		}
		slowly := v1alpha1.RateLimit{RequestsPerSecond: 1, Burst: 4}
		env.(object.Environment).Settings().RateLimit = slowly
		w.create(w.keySecret(goodKey), env)
		w.ready(env)
		var said []string
		first := env.GetResourceVersion()
		w.doom.afterWrites(func(obj client.Object) {
			if written, ok := obj.(object.Environment); ok && written.GetResourceVersion() != first { // which may be told late
				said = append(said, meta.FindStatusCondition(written.EnvironmentStatus().Conditions, v1alpha1.ConditionReady).Message)
			}
		})
		w.time.Hold()
		var accounts []*v1alpha1.LinkedAccount
		for i := range 150 {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			if cluster {
				w.inCluster(accounts[i])
			}
			w.create(accounts[i])
		}
		where := labels{"environment": "Environment " + w.namespace + "/default"}
		if cluster {
			where = labels{"environment": "ClusterEnvironment " + w.namespace}
		}
		waiting := func() float64 { return w.series("cobalt_limiter_waiting", where)[""] }
		w.goOn(time.Second, func() bool { return waiting() > 100 })
		w.goOnFor(time.Second, 40*time.Second)
		Expect(said).To(BeEmpty(), "a short wait is no news")
		w.goOnFor(time.Second, time.Minute)
		Expect(w.series("cobalt_limiter_waiting_seconds", where)[""]).To(BeNumerically(">=", 60))
		written := w.writes("linkedaccounts")

		By("their coming to an end")
		w.goOn(time.Second, func() bool { return waiting() == 0 })
		w.goOnFor(time.Second, 3*time.Minute)
		w.time.Advance(time.Minute)
		allReady(w, accounts)
		Expect(said[0]).To(Equal(connected + "; up to 100 objects wait for their turn to call, for up to 10 minutes now: " +
			"raise rateLimit, or ask Cobalt to allow more calls"))
		Expect(said[len(said)-1]).To(Equal(connected))
		Expect(len(said)).To(BeNumerically("<=", 3), "one for each order of magnitude at most: %q", said)
		Expect(written).To(BeNumerically("<", 150*2))
		Expect(w.writes("linkedaccounts")).To(Equal(150*2), "the finalizer and the outcome of each")
	}, Entry("Environment", false), Entry("ClusterEnvironment", true))
})
