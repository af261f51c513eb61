package stories

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// lent is an environment of the cluster that namespaces with a label may use, and another namespace that has it.
func lent(w *world) (env *v1alpha1.ClusterEnvironment, neighbour *corev1.Namespace) {
	GinkgoHelper()
	label := map[string]string{"lent": "yes"}
	neighbour = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "neighbour-", Labels: label}}
	w.create(neighbour, w.keySecret(goodKey))
	own := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.read(own)
	w.change(own, func() { own.Labels["lent"] = "yes" })
	w.stop()
	w.neighbours = append(w.neighbours, neighbour.Name)
	w.start()
	env = w.clusterEnvironment()
	env.Spec.AllowedNamespaces.Selector.MatchLabels = label
	w.create(env)
	w.ready(env)
	return env, neighbour
}

var _ = Describe("A namespace that loses the label for its environment", func() {
	forgotten := func(obj *v1alpha1.LinkedAccount) { obj.Spec.SyncInterval = "0s" }

	It("no longer keeps others waiting, who are told so", func() {
		w := newWorld()
		_, neighbour := lent(w)
		first, second := w.account("acme", w.inCluster, forgotten), w.account("acme", w.inCluster, forgotten)
		first.Namespace = neighbour.Name
		w.create(first)
		w.ready(first)
		Eventually(func() bool { // until the API server's clock, which counts seconds, shows another one
			probe := w.account("probe")
			Expect(w.Create(w.ctx, probe, client.DryRunAll)).To(Succeed())
			return probe.CreationTimestamp.After(first.CreationTimestamp.Time)
		}).Should(BeTrue())
		w.create(second)
		w.settled(second, metav1.ConditionFalse, v1alpha1.ReasonConflict)
		used, hook := w.account("used", w.inCluster, forgotten), w.webhook("hook", ofID("used"), "a")
		hook.Namespace, hook.Spec.EnvironmentRef = neighbour.Name, used.Spec.EnvironmentRef
		w.create(used)
		w.ready(used)
		w.create(hook)
		w.ready(hook)
		w.remove(used)
		w.settled(used, metav1.ConditionFalse, v1alpha1.ReasonDependentsExist)

		w.change(neighbour, func() { delete(neighbour.Labels, "lent") })
		w.ready(second)
		w.gone(used)
	})

	It("no longer keeps the environment, where it has adopted what it may not delete any more", func() {
		w := newWorld()
		env, neighbour := lent(w)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		acme := w.account("acme", w.inCluster, forgotten, func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
		})
		acme.Namespace = neighbour.Name
		w.create(acme)
		w.ready(acme)
		w.remove(env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDeletionPending)
		w.change(neighbour, func() { delete(neighbour.Labels, "lent") })
		w.gone(env)
		w.remove(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(message).To(HavePrefix("cannot delete in Cobalt: ClusterEnvironment " + env.Name + " does not exist; create it again"))
		w.change(acme, func() { acme.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.gone(acme)
		Expect(w.remote("acme")).NotTo(BeNil())
	})

	It("gets at nothing with the last key of an environment that is gone, whatever it writes into annotations", func() {
		w := newWorld()
		env, neighbour := lent(w)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "victim"})
			return err
		})
		evil := w.account("evil", withID("victim"), w.inCluster)
		evil.Namespace = neighbour.Name
		evil.Finalizers = []string{v1alpha1.Finalizer}
		evil.Annotations = map[string]string{"cobalt.gocobalt.io/origin": neighbour.Name + "/evil:created"}
		evil.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
		w.change(neighbour, func() { delete(neighbour.Labels, "lent") })
		w.create(evil)
		w.settled(evil, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.remove(env)
		w.gone(env)
		w.remove(evil)
		w.settled(evil, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(w.remote("victim")).NotTo(BeNil())
		w.change(evil, func() { evil.Finalizers = nil })
	})
})
