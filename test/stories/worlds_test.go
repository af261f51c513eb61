package stories

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Stories run at the same time on one API server, and each counts what its own operator does.
var _ = Describe("A story", func() {
	It("sees nothing of another beside it, however noisy that is", func() {
		quiet, noisy := newWorld(), newWorld()
		settle := func(w *world) (*v1alpha1.ClusterEnvironment, *v1alpha1.LinkedAccount) {
			env, acme := w.clusterEnvironment(), w.account("acme", w.inCluster)
			w.create(w.keySecret(goodKey), env, acme)
			w.ready(acme)
			w.ready(env)
			return env, acme
		}
		ours, acme := settle(quiet)
		written := quiet.writes(everyKind...)
		quiet.sim.ResetCalls()

		By("making noise of every sort, to the end of its operator")
		theirs, account := settle(noisy)
		for i := range 10 {
			noisy.change(account, func() { account.Spec.Name = fmt.Sprint("Acme ", i) })
			noisy.ready(account)
		}
		Expect(noisy.writes("linkedaccounts")).To(BeNumerically(">", 10))
		noisy.stop()
		noisy.remove(account, theirs)

		By("looking at our own environment after all that")
		quiet.change(ours, func() { ours.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: "after the noise"} })
		Eventually(func() string { quiet.read(ours); return ours.Status.LastHandledReconcileAt }).Should(Equal("after the noise"))
		Expect(quiet.passes(theirs)).To(BeZero())
		Expect(quiet.passes(account)).To(BeZero())
		noisy.read(theirs)
		Expect(theirs.Finalizers).To(ContainElement(v1alpha1.Finalizer), "only its own operator takes that off")
		Expect(quiet.writes(everyKind...)).To(Equal(written+1), "the request alone")
		calls := quiet.sim.Calls()
		delete(calls, "listApplications") // the environment's own
		Expect(calls).To(BeEmpty())
		quiet.ready(acme)
	})
})
