package stories

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

var _ = Describe("An object whose finalizer and annotations somebody has taken away", func() {
	for kind, build := range map[string]func(w *world) object.Object{
		"LinkedAccount": func(w *world) object.Object {
			w.create(w.secret("oauth", map[string]string{"refresh_token": "hunter2"}))
			return w.account("robbed", migrating("hubspot", "oauth", ""), func(obj *v1alpha1.LinkedAccount) { obj.Spec.SyncInterval = "0s" })
		},
		"IntegrationConfig": func(w *world) object.Object {
			return w.config("robbed", of("acme"), func(obj *v1alpha1.IntegrationConfig) { obj.Spec.SyncInterval = "0s" })
		},
		"Webhook":        func(w *world) object.Object { return w.webhook("robbed", of("acme"), "a") },
		"PublicWorkflow": func(w *world) object.Object { return w.publicWorkflow("robbed", of("acme")) },
		"EventTrigger":   func(w *world) object.Object { return w.trigger("robbed", of("acme")) },
	} {
		It("gets back what its status knows, without a call: "+kind, func() {
			w, _ := withAccount()
			obj := build(w)
			w.create(obj)
			w.robbed(kind, obj)
		})

		It("gets it back also while it is suspended: "+kind, func() {
			w, _ := withAccount()
			obj := build(w)
			w.create(obj)
			w.done(kind, obj)
			w.change(obj, func() { obj.MemberSpec().Suspend = true })
			Eventually(w.time.Idle).Should(BeTrue())
			w.robbed(kind, obj)
		})

		It("gets it back also where it may not use its environment any more: "+kind, func() {
			w := newWorld()
			w.create(w.keySecret(goodKey))
			env := secondEnvironment(w, true).(*v1alpha1.ClusterEnvironment)
			acme, obj := w.account("acme"), build(w)
			w.inCluster(acme)
			obj.MemberSpec().EnvironmentRef = acme.Spec.EnvironmentRef
			w.create(acme)
			w.ready(acme)
			w.create(obj)
			w.done(kind, obj)
			w.change(env, func() {
				env.Spec.AllowedNamespaces.Selector.MatchLabels = map[string]string{"nobody": "has this"}
			})
			if _, keeps := obj.(object.Managed); keeps { // the others are done, and say so for good
				w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
			}
			Eventually(w.time.Idle).Should(BeTrue())
			w.robbed(kind, obj)
		})
	}
})

// done waits until all is well with an object, and it has the annotations of its kind.
func (w *world) done(kind string, obj object.Object) {
	GinkgoHelper()
	Eventually(func() []string { w.time.Advance(time.Second); w.read(obj); return reasons(obj) }).Should(
		ContainElement(BeElementOf(v1alpha1.ReasonSynced, v1alpha1.ReasonCompleted, v1alpha1.ReasonNotAllowed)))
	Eventually(func() []string { w.read(obj); return marksOf(obj) }).Should(Equal(marksFor[kind]))
}

// robbed takes everything away from an object, and checks that it is written back without a call, once a minute.
func (w *world) robbed(kind string, obj object.Object) {
	GinkgoHelper()
	w.done(kind, obj)
	finalizers, annotations := obj.GetFinalizers(), obj.GetAnnotations()
	rob := func() {
		GinkgoHelper()
		before := w.passes(obj)
		w.change(obj, func() { obj.SetFinalizers(nil); obj.SetAnnotations(nil) })
		Eventually(func() int { return w.passes(obj) }).Should(BeNumerically(">", before))
	}
	whole := func(g Gomega) {
		w.read(obj)
		g.Expect(obj.GetFinalizers()).To(Equal(finalizers))
		g.Expect(marksOf(obj)).To(Equal(marksFor[kind]))
	}
	w.time.Advance(time.Minute)
	Eventually(w.time.Idle).Should(BeTrue())
	w.sim.ResetCalls()
	resource := strings.ToLower(kind) + "s"
	writes := w.writes(resource)
	rob()
	Eventually(whole).Should(Succeed())
	Eventually(w.time.Idle).Should(BeTrue())
	Expect(w.writes(resource)-writes).To(Equal(1), "all in one write")
	for range 2 {
		w.read(obj)
		rob()
		Eventually(w.time.Idle).Should(BeTrue())
		w.read(obj)
		Expect(obj.GetFinalizers()).To(BeEmpty(), "not twice in a minute")
		Expect(marksOf(obj)).To(BeEmpty(), "not twice in a minute")
		w.change(obj, func() { obj.SetFinalizers(finalizers); obj.SetAnnotations(annotations) })
	}
	rob()
	Eventually(func(g Gomega) { w.time.Advance(time.Minute); whole(g) }).Should(Succeed())
	calls := w.sim.Calls()
	delete(calls, "listApplications")   // the environment's own
	delete(calls, "listLinkedAccounts") // those of the account beside it
	delete(calls, "getWebhook")         // the look that is due after ten minutes
	Expect(calls).To(BeEmpty())
}

// marksFor are the annotations that each kind keeps.
var marksFor = map[string][]string{
	"LinkedAccount": {"account", "credentials", "origin"}, "IntegrationConfig": {"account", "origin"}, "Webhook": {"account", "origin"},
	"PublicWorkflow": {"account", "workflow-id"}, "EventTrigger": {"fired"},
}

// marksOf are the names of the operator's annotations on an object.
func marksOf(obj object.Object) []string {
	var names []string
	for _, name := range []string{"account", "credentials", "fired", "origin", "workflow-id"} {
		if obj.GetAnnotations()["cobalt.gocobalt.io/"+name] != "" {
			names = append(names, name)
		}
	}
	return names
}
