package stories

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller"
)

var _ = Describe("An object whose finalizer and annotations somebody has taken away", func() {
	for kind, build := range map[string]func(w *world) controller.Object{
		"LinkedAccount": func(w *world) controller.Object {
			w.create(w.secret("oauth", map[string]string{"refresh_token": "hunter2"}))
			return w.account("robbed", migrating("hubspot", "oauth", ""), func(obj *v1alpha1.LinkedAccount) { obj.Spec.SyncInterval = "0s" })
		},
		"IntegrationConfig": func(w *world) controller.Object {
			return w.config("robbed", of("acme"), func(obj *v1alpha1.IntegrationConfig) { obj.Spec.SyncInterval = "0s" })
		},
		"Webhook":        func(w *world) controller.Object { return w.webhook("robbed", of("acme"), "a") },
		"PublicWorkflow": func(w *world) controller.Object { return w.publicWorkflow("robbed", of("acme")) },
		"EventTrigger":   func(w *world) controller.Object { return w.trigger("robbed", of("acme")) },
	} {
		It("gets back what its status knows, without a call: "+kind, func() {
			w, _ := withAccount()
			obj := build(w)
			w.create(obj)
			Eventually(func() []string { w.time.Advance(time.Second); w.read(obj); return reasons(obj) }).Should(
				ContainElement(BeElementOf(v1alpha1.ReasonSynced, v1alpha1.ReasonCompleted)))
			marks := marksFor[kind]
			Eventually(func() []string { w.read(obj); return marksOf(obj) }).Should(Equal(marks))
			finalizers := obj.GetFinalizers()
			rob := func() { w.change(obj, func() { obj.SetFinalizers(nil); obj.SetAnnotations(nil) }) }
			whole := func(g Gomega) {
				w.read(obj)
				g.Expect(obj.GetFinalizers()).To(Equal(finalizers))
				g.Expect(marksOf(obj)).To(Equal(marks))
			}
			w.time.Advance(time.Minute)
			w.sim.ResetCalls()
			rob()
			Eventually(whole).Should(Succeed())
			Eventually(w.time.Idle).Should(BeTrue())
			before := w.passes(obj)
			rob()
			Eventually(func() int { return w.passes(obj) }).Should(BeNumerically(">", before))
			if _, keeps := obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }); keeps {
				w.read(obj)
				Expect(obj.GetFinalizers()).To(BeEmpty(), "not twice in a minute")
			}
			Eventually(func(g Gomega) { w.time.Advance(time.Minute); whole(g) }).Should(Succeed())
			calls := w.sim.Calls()
			delete(calls, "listApplications")   // the environment's own
			delete(calls, "listLinkedAccounts") // those of the account beside it
			delete(calls, "getWebhook")         // the look that is due after ten minutes
			Expect(calls).To(BeEmpty())
		})
	}
})

// marksFor are the annotations that each kind keeps.
var marksFor = map[string][]string{
	"LinkedAccount": {"account", "credentials", "origin"}, "IntegrationConfig": {"account", "origin"}, "Webhook": {"account", "origin"},
	"PublicWorkflow": {"account", "workflow-id"}, "EventTrigger": {"fired"},
}

// marksOf are the names of the operator's annotations on an object.
func marksOf(obj controller.Object) []string {
	var names []string
	for _, name := range []string{"account", "credentials", "fired", "origin", "workflow-id"} {
		if obj.GetAnnotations()["cobalt.gocobalt.io/"+name] != "" {
			names = append(names, name)
		}
	}
	return names
}
