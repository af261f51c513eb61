package stories

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// unmade are answers to a creation which prove that it has made nothing.
var unmade = map[string]simulator.Fault{
	"refused":      {Status: http.StatusBadRequest, Times: 1},
	"throttled":    {Status: http.StatusTooManyRequests, RetryAfter: "60", Times: 1},
	"told to wait": {Status: http.StatusConflict, Times: 1},
}

func originIn(obj object.Object) v1alpha1.Origin {
	return obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }).CommonStatus().Origin
}

var _ = Describe("An object whose first creation is known to have made nothing", func() {
	for kind, tc := range lives {
		for answer, fault := range unmade {
			tried := func() (*world, object.Object) {
				w, acme := withAccount()
				w.pass(acme, syncInterval)
				fault.Operation = creates[kind]
				w.sim.Inject(fault)
				obj := tc.make(w)
				w.create(obj)
				Eventually(func() int { return w.sim.Calls()[creates[kind]] }).Should(BeNumerically(">=", 1))
				Eventually(w.time.Idle).Should(BeTrue())
				w.read(obj)
				return w, obj
			}
			again := func(w *world, obj object.Object) {
				w.time.Advance(2 * time.Minute)
				w.request(obj, "now")
				Eventually(func(g Gomega) { w.time.Advance(time.Second); w.read(obj); g.Expect(originIn(obj)).NotTo(BeEmpty()) }).Should(Succeed())
			}

			It(fmt.Sprintf("takes it away in the end, if it made it after all (%s, %s)", kind, answer), func() {
				w, obj := tried()
				again(w, obj)
				Expect(originIn(obj)).To(Equal(v1alpha1.OriginCreated))
				w.remove(obj)
				w.gone(obj)
				Expect(tc.has(w)).To(Equal(tc.left))
			})

			It(fmt.Sprintf("leaves what others have made since (%s, %s)", kind, answer), func() {
				w, obj := tried()
				makeByHand(w, kind)
				again(w, obj)
				Expect(originIn(obj)).To(Equal(v1alpha1.OriginAdopted))
				w.sim.ResetCalls()
				w.remove(obj)
				w.gone(obj)
				Expect(w.sim.Calls()).NotTo(HaveKey(tc.deletes))
			})

			It(fmt.Sprintf("leaves what others have made since, also if it goes at once (%s, %s)", kind, answer), func() {
				w, obj := tried()
				makeByHand(w, kind)
				w.sim.ResetCalls()
				w.remove(obj)
				w.gone(obj) // no time passes in which it could be tried again
				Expect(w.sim.Calls()).To(BeEmpty())
			})
		}
	}
})
