package stories

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// reasons are those of the Ready conditions.
func reasons(objects ...object.Object) []string {
	var list []string
	for _, obj := range objects {
		if ready := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady); ready != nil {
			list = append(list, ready.Reason)
		}
	}
	return list
}

// subscribe subscribes acme as a person would.
func subscribe(w *world, url string, events ...string) {
	GinkgoHelper()
	w.byHand(func(api *cobalt.Client) error {
		_, err := api.CreateWebhook(w.ctx, "acme", cobalt.WebhookInput{URL: url, Events: events})
		return err
	})
}

var _ = Describe("A webhook", func() {
	It("is created with one call after a look, and then left alone", func() {
		w, _ := withAccount()
		hook := w.webhook("acme", of("acme"), "Workflow Completed", "Workflow Errored")
		before := w.writes("webhooks")
		w.create(hook)
		w.ready(hook)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getWebhook": 1, "createWebhook": 1}))
		after := w.writes("webhooks")
		Expect(after - before).To(Equal(2))
		Expect(w.remoteWebhook("acme").WebhookEvents).To(ConsistOf("Workflow Completed", "Workflow Errored"))
		Expect(hook.Status.ID).To(Equal(w.remoteWebhook("acme").ID))
		version := hook.ResourceVersion
		w.pass(hook, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("getWebhook", 2))
		Expect(w.sim.Calls()).To(HaveKeyWithValue("createWebhook", 1))
		w.read(hook)
		Expect(hook.ResourceVersion).To(Equal(version))
	})

	DescribeTable("has the events that spec lists, and no others", func(replace bool) {
		w, _ := withAccount(replacing(replace))
		subscribe(w, "https://old.example/", "Connection Created", "Workflow Errored")
		hook := w.webhook("acme", of("acme"), "Workflow Completed", "Workflow Errored")
		hook.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete // although it was there before
		w.create(hook)
		w.ready(hook)
		Expect(hook.Status.Origin).To(Equal(v1alpha1.OriginAdopted))
		Expect(w.remoteWebhook("acme").WebhookEvents).To(ConsistOf("Workflow Completed", "Workflow Errored"))
		Expect(w.remoteWebhook("acme").WebhookURL).To(Equal("https://hooks.example/acme"))

		By("adding one and removing another")
		w.sim.ResetCalls()
		w.change(hook, func() { hook.Spec.Events = []string{"Workflow Errored", "Connection Expired"} })
		w.ready(hook)
		Expect(w.remoteWebhook("acme").WebhookEvents).To(ConsistOf("Connection Expired", "Workflow Errored"))
		if replace {
			Expect(w.sim.Calls()).To(Equal(map[string]int{"getWebhook": 1, "createWebhook": 1}))
		} else {
			Expect(w.sim.Calls()).To(Equal(map[string]int{"getWebhook": 1, "createWebhook": 1, "unsubscribeWebhook": 1}))
		}

		By("removing one: nothing is subscribed to again")
		w.sim.ResetCalls()
		w.change(hook, func() { hook.Spec.Events = []string{"Workflow Errored"} })
		w.ready(hook)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getWebhook": 1, "unsubscribeWebhook": 1}))
		Expect(w.remoteWebhook("acme").WebhookEvents).To(Equal([]string{"Workflow Errored"}), "exactly the removed one is gone")

		By("changing the URL")
		w.change(hook, func() { hook.Spec.URL = "https://new.example/hook" })
		w.ready(hook)
		Expect(w.remoteWebhook("acme").WebhookURL).To(Equal("https://new.example/hook"))

		By("somebody else changing it")
		subscribe(w, "https://evil.example/", "Workflow Errored", "Connection Deleted")
		w.pass(hook, syncInterval)
		Eventually(func() string { return w.remoteWebhook("acme").WebhookURL }).Should(Equal("https://new.example/hook"))
		Eventually(func() []string { return w.events(hook) }).Should(
			ContainElement("Normal Updated corrected in Cobalt: url, events[Connection Deleted]"))
		w.ready(hook)
		Expect(w.remoteWebhook("acme").WebhookEvents).To(ConsistOf("Workflow Errored"))

		By("going")
		w.sim.ResetCalls()
		w.remove(hook)
		w.gone(hook)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getWebhook": 1, "unsubscribeWebhook": 1}))
		Expect(w.remoteWebhook("acme")).To(BeNil())
	},
		Entry("when the API merges", false),
		Entry("when the API replaces", true),
	)

	It("that Cobalt does not unsubscribe is not Synced", func() {
		w, _ := withAccount()
		hook := w.webhook("acme", of("acme"), "Workflow Completed", "Workflow Errored")
		w.create(hook)
		w.ready(hook)
		w.sim.Inject(simulator.Fault{Operation: "unsubscribeWebhook", ContentType: "application/json", Body: `{}`})
		w.change(hook, func() { hook.Spec.Events = []string{"Workflow Errored"} })
		w.ready(hook) // nothing says otherwise yet
		Eventually(func() int { return w.sim.Calls()["unsubscribeWebhook"] }).Should(Equal(1))
		w.pass(hook, syncInterval)
		message := w.settled(hook, metav1.ConditionFalse, v1alpha1.ReasonNotConverging)
		Expect(message).To(HavePrefix("Cobalt does not keep what spec asks for in events[Workflow Completed]:"))
		w.pass(hook, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("unsubscribeWebhook", 1))
	})

	It("is told apart from a second one for the same account", func() {
		w, _ := withAccount()
		byRef, byID := w.webhook("by-ref", of("acme"), "Workflow Errored"), w.webhook("by-id", ofID("acme"), "Workflow Completed")
		w.create(byRef, byID)
		Eventually(func(g Gomega) {
			w.read(byRef)
			w.read(byID)
			g.Expect(reasons(byRef, byID)).To(ConsistOf(v1alpha1.ReasonSynced, v1alpha1.ReasonConflict))
		}).Should(Succeed())
		winner, loser := byRef, byID
		if reasons(byRef)[0] == v1alpha1.ReasonConflict {
			winner, loser = byID, byRef
		}
		Expect(w.settled(loser, metav1.ConditionFalse, v1alpha1.ReasonConflict)).To(HavePrefix(
			w.namespace + "/" + winner.Name + " is older and stands for the same in Cobalt"))
		Expect(w.remoteWebhook("acme").WebhookEvents).To(Equal(winner.Spec.Events))
		w.remove(winner)
		w.gone(winner)
		w.ready(loser)
		Expect(w.remoteWebhook("acme").WebhookEvents).To(Equal(loser.Spec.Events))
		w.remove(loser)
		w.gone(loser)
		Expect(w.remoteWebhook("acme")).To(BeNil())
	})
})
