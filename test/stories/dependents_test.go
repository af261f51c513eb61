package stories

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// dependentKind is what the stories need to know of a kind whose objects belong to an account.
type dependentKind struct {
	// make makes an object for an account, and vary changes its spec.
	make func(w *world, name string, account v1alpha1.AccountReference) object.Managed
	vary func(obj object.Managed)
	// remote tells whether there is one in Cobalt for an account, and whether it is as spec says.
	remote func(w *world, account string) (there, right bool)
	// spoil changes it by hand, path is where.
	spoil func(w *world, api *cobalt.Client) error
	path  string
	// vanish deletes it by hand.
	vanish func(w *world, api *cobalt.Client) error
	// make up the calls that create it, look at it and delete it.
	creates, looks, correction, deletes string
}

var aConfig = dependentKind{
	make: func(w *world, name string, account v1alpha1.AccountReference) object.Managed {
		return w.config(name, account, field("owner_email", `"right@acme.example"`))
	},
	vary: func(obj object.Managed) {
		obj.(*v1alpha1.IntegrationConfig).Spec.Fields[0].Value = &runtime.RawExtension{Raw: []byte(`"other@acme.example"`)}
	},
	remote: func(w *world, account string) (there, right bool) {
		config := w.remoteConfig(account)
		return config != nil, config != nil && config.Fields["owner_email"] == "right@acme.example"
	},
	spoil: func(w *world, api *cobalt.Client) error {
		return api.UpdateConfigField(w.ctx, "acme", w.remoteConfig("acme").ConfigID, "owner_email", "wrong@acme.example")
	},
	path: "fields.owner_email",
	vanish: func(w *world, api *cobalt.Client) error {
		return api.DeleteConfig(w.ctx, "acme", w.remoteConfig("acme").ConfigID)
	},
	creates: "upsertConfig", looks: "listInstalledConfigs", correction: "updateFieldValueById", deletes: "deleteConfig",
}

var aWebhook = dependentKind{
	make: func(w *world, name string, account v1alpha1.AccountReference) object.Managed {
		hook := w.webhook(name, account, "Workflow Errored")
		hook.Spec.URL = "https://right.example/"
		return hook
	},
	vary: func(obj object.Managed) { obj.(*v1alpha1.Webhook).Spec.URL = "https://other.example/" },
	remote: func(w *world, account string) (there, right bool) {
		hook := w.remoteWebhook(account)
		return hook != nil, hook != nil && hook.WebhookURL == "https://right.example/"
	},
	spoil: func(w *world, api *cobalt.Client) error {
		_, err := api.CreateWebhook(w.ctx, "acme", cobalt.WebhookInput{URL: "https://wrong.example/", Events: []string{"Workflow Errored"}})
		return err
	},
	path: "url",
	vanish: func(w *world, api *cobalt.Client) error {
		return api.UnsubscribeWebhook(w.ctx, "acme", []string{"Workflow Errored"})
	},
	creates: "createWebhook", looks: "getWebhook", correction: "createWebhook", deletes: "unsubscribeWebhook",
}

// forEach tells a story of both kinds.
func forEach(text string, story func(kind dependentKind)) {
	DescribeTable(text, story, Entry("IntegrationConfig", aConfig), Entry("Webhook", aWebhook))
}

// driftDetected is cobalt_drift_detected_total for the kind of obj.
func driftDetected(obj object.Managed) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "cobalt_drift_detected_total" && strings.EqualFold(metric.GetLabel()[0].GetValue(), controllerOf(obj)) {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func there(w *world, kind dependentKind) func() bool {
	return func() bool { there, _ := kind.remote(w, "acme"); return there }
}

func right(w *world, kind dependentKind) func() bool {
	return func() bool { _, right := kind.remote(w, "acme"); return right }
}

var _ = Describe("What belongs to an account", func() {
	forEach("waits for its account, woken by it", func(kind dependentKind) {
		w := newWorld()
		w.connected()
		obj := kind.make(w, "early", of("acme"))
		w.create(obj)
		message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		Expect(message).To(Equal("LinkedAccount " + w.namespace + "/acme does not exist: create it, or delete this object"))
		Expect(w.sim.Calls()).NotTo(HaveKey(kind.creates))
		w.create(w.account("acme"))
		w.ready(obj)
		Expect(right(w, kind)()).To(BeTrue())
	})

	forEach("does not miss an account any more that Cobalt takes long to make", func(kind dependentKind) {
		w := newWorld()
		w.connected()
		obj, fire := kind.make(w, "early", of("acme")), w.trigger("fire", of("acme"))
		w.create(obj, fire)
		for _, early := range []object.Object{obj, fire} {
			w.settled(early, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		}
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Delay: time.Hour})
		w.create(w.account("acme"))
		for _, early := range []object.Object{obj, fire} {
			Eventually(func() string { return w.settled(early, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady) }).Should(
				Equal("LinkedAccount " + w.namespace + "/acme is not in Cobalt yet, see its status"))
			Eventually(func() []string { return w.events(early) }).Should(And(HaveLen(2), HaveEach(HavePrefix("Normal "))), "nobody has to act")
		}
	})

	forEach("may belong to an account that no object stands for", func(kind dependentKind) {
		w := newWorld()
		w.connected()
		obj := kind.make(w, "byhand", ofID("acme"))
		w.create(obj)
		message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		Expect(message).To(HavePrefix(`account "acme" is not in Cobalt`))
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		w.pass(obj, syncInterval)
		w.ready(obj)
	})

	for text, second := range map[string]bool{"its environment": false, "another environment with the same key": true} {
		forEach("by the id of an account is woken by its LinkedAccount and holds it back: in "+text, func(kind dependentKind) {
			w := newWorld()
			w.connected()
			obj := kind.make(w, "by-id", ofID("acme"))
			if second {
				secondEnvironment(w, false)
				obj.CommonSpec().EnvironmentRef.Name = "second"
			}
			w.create(obj)
			w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
			acme := w.account("of-another-name", withID("acme"))
			w.create(acme)
			w.ready(obj)
			Expect(right(w, kind)()).To(BeTrue())

			By("deleting the LinkedAccount")
			w.ready(acme)
			w.remove(acme)
			message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonDependentsExist)
			Expect(message).To(ContainSubstring(w.namespace + "/by-id"))
			w.remove(obj)
			w.gone(obj)
			w.gone(acme)
			Expect(w.remote("acme")).To(BeNil())
		})
	}

	forEach("must be in the environment of its account", func(kind dependentKind) {
		w, _ := withAccount()
		secondEnvironment(w, false)
		obj := kind.make(w, "stray", of("acme"))
		obj.CommonSpec().EnvironmentRef.Name = "second"
		w.create(obj)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonDifferentAccount)
	})

	forEach("is deleted before its account is", func(kind dependentKind) {
		w, acme := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.remove(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonDependentsExist)
		Expect(message).To(ContainSubstring(w.namespace + "/dependent"))
		w.remove(obj)
		w.gone(obj)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
	})

	forEach("is made again when its account was made again", func(kind dependentKind) {
		w, acme := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(acme, "now")
		w.ready(acme)
		Eventually(right(w, kind)).Should(BeTrue())
		w.ready(obj)
		Expect(w.sim.Calls()).To(HaveKeyWithValue(kind.creates, 1))
	})

	forEach("is made again when its LinkedAccount is", func(kind dependentKind) {
		w, acme := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.change(acme, func() { acme.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.remove(acme)
		w.gone(acme)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.create(w.account("acme"))
		w.ready(obj)
		Eventually(right(w, kind)).Should(BeTrue())
	})

	forEach("does not follow its LinkedAccount to another account", func(kind dependentKind) {
		w, acme := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.change(acme, func() { acme.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.remove(acme)
		w.gone(acme)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		globex := w.account("acme", withID("globex"))
		w.create(globex)
		w.ready(globex)
		w.sim.ResetCalls()
		message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonDifferentAccount)
		Expect(message).To(HavePrefix(
			`it was made for account "acme", and LinkedAccount ` + w.namespace + `/acme now stands for "globex"`))
		Expect(obj.CommonStatus().LinkedAccountID).To(Equal("acme"))
		w.change(obj, func() { kind.vary(obj) })
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonDifferentAccount)
		Expect(w.sim.Calls()).To(BeEmpty())

		By("going: it is deleted where it was made")
		w.remove(obj)
		w.gone(obj)
		Expect(there(w, kind)()).To(BeFalse())
		Expect(w.remote("globex")).NotTo(BeNil())
	})

	forEach("is made again when it was deleted in Cobalt", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.byHand(func(api *cobalt.Client) error { return kind.vanish(w, api) })
		w.pass(obj, syncInterval)
		Eventually(right(w, kind)).Should(BeTrue())
		w.ready(obj)
	})

	forEach("waits when its account was deleted under it", func(kind dependentKind) {
		w := newWorld()
		w.connected()
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		obj := kind.make(w, "dependent", ofID("acme"))
		w.create(obj)
		w.ready(obj)
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(obj, "now")
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		w.remove(obj)
		w.gone(obj)
	})

	forEach("is recognised when its status was wiped", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		id := obj.CommonStatus().ID
		*obj.CommonStatus() = v1alpha1.CommonStatus{}
		Expect(w.Status().Update(w.ctx, obj)).To(Succeed())
		w.request(obj, "after the wipe")
		w.ready(obj)
		Expect(obj.CommonStatus().ID).To(Equal(id))
	})

	forEach("tells under ReadOnly what Manage would change", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		obj.CommonSpec().ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
		w.create(obj)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonRemoteNotFound)
		w.byHand(func(api *cobalt.Client) error {
			if kind.creates == "upsertConfig" {
				_, err := api.UpsertConfig(w.ctx, "acme", "hubspot", "")
				return err
			}
			return kind.spoil(w, api)
		})
		w.byHand(func(api *cobalt.Client) error { return kind.spoil(w, api) })
		w.request(obj, "now")
		w.settled(obj, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		Expect(obj.CommonStatus().Drift).To(HaveLen(1))
		Expect(obj.CommonStatus().Drift[0].Path).To(Equal(kind.path))
		Eventually(func() []string { return w.events(obj) }).Should(
			ContainElement("Normal DriftDetected Cobalt differs from spec: " + kind.path))
		Expect(w.sim.Calls()).NotTo(HaveKey(kind.creates))
		version := obj.GetResourceVersion()
		w.pass(obj, syncInterval)
		w.read(obj)
		Expect(obj.GetResourceVersion()).To(Equal(version), "the same drift is not written twice")

		By("switching to Manage")
		w.change(obj, func() { obj.CommonSpec().ManagementPolicy = v1alpha1.ManagementPolicyManage })
		w.ready(obj)
		Expect(right(w, kind)()).To(BeTrue())
		Expect(obj.CommonStatus().Drift).To(BeEmpty())

		By("going under ReadOnly: nothing is deleted")
		w.change(obj, func() { obj.CommonSpec().ManagementPolicy = v1alpha1.ManagementPolicyReadOnly })
		w.settled(obj, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		w.remove(obj)
		w.gone(obj)
		Expect(there(w, kind)()).To(BeTrue())
	})

	forEach("stays in Cobalt under Orphan, and is not called for while suspended", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.sim.ResetCalls()
		w.change(obj, func() { obj.CommonSpec().Suspend = true; kind.vary(obj) })
		Eventually(func() bool { _, planned := w.delay(obj); return planned }).Should(BeFalse())
		w.change(obj, func() { obj.CommonSpec().DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.remove(obj)
		w.gone(obj)
		Expect(w.sim.Calls()).To(BeEmpty())
		Expect(right(w, kind)()).To(BeTrue())
	})

	forEach("tells who must act when Cobalt refuses it, and does not insist", func(kind dependentKind) {
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{Operation: kind.creates, Status: 400})
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(HavePrefix("Cobalt refused: " + kind.creates + ": 400"))
		w.sim.ResetCalls()
		version := obj.GetResourceVersion()
		w.pass(obj, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue(kind.creates, 1))
		w.read(obj)
		Expect(obj.GetResourceVersion()).To(Equal(version))

		By("going: what was made by somebody else meanwhile is none of its own")
		w.sim.ClearFaults()
		w.byHand(func(api *cobalt.Client) error {
			if kind.creates == "upsertConfig" {
				_, err := api.UpsertConfig(w.ctx, "acme", "hubspot", "")
				return err
			}
			return kind.spoil(w, api)
		})
		w.remove(obj)
		w.gone(obj)
		Expect(there(w, kind)()).To(BeTrue())
	})

	forEach("shows its drift while correcting fails", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		detected := driftDetected(obj)
		w.byHand(func(api *cobalt.Client) error { return kind.spoil(w, api) })
		w.sim.Inject(simulator.Fault{Operation: kind.correction, Status: 403, Times: 2})
		w.pass(obj, syncInterval)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(obj.CommonStatus().Drift[0].Path).To(Equal(kind.path))
		w.pass(obj, syncInterval)
		w.pass(obj, syncInterval)
		w.ready(obj)
		Expect(driftDetected(obj)-detected).To(Equal(1.0), "however often it is seen")
		Expect(obj.CommonStatus().Drift).To(BeEmpty())
		Expect(right(w, kind)()).To(BeTrue())
	})

	forEach("shows its drift at once though correcting it fails, and stays Ready for five minutes", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		detected, conditions := driftDetected(obj), obj.CommonStatus().Conditions
		w.byHand(func(api *cobalt.Client) error { return kind.spoil(w, api) })
		w.sim.Inject(simulator.Fault{Operation: kind.correction, Status: 500})
		w.pass(obj, syncInterval)
		for range 2 {
			w.read(obj)
			Expect(obj.CommonStatus().Drift).To(HaveLen(1))
			Expect(obj.CommonStatus().Drift[0].Path).To(Equal(kind.path))
			Expect(obj.CommonStatus().Conditions).To(Equal(conditions))
			w.pass(obj, 150*time.Second)
		}
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(driftDetected(obj)-detected).To(Equal(1.0), "however often it is seen")
		w.sim.ClearFaults()
		w.pass(obj, 5*time.Minute)
		w.ready(obj)
		Expect(obj.CommonStatus().Drift).To(BeEmpty())
		Expect(driftDetected(obj) - detected).To(Equal(1.0))
	})

	forEach("stays Ready through a failed look in the background, for five minutes", func(kind dependentKind) {
		w, _ := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		version := obj.GetResourceVersion()
		w.sim.Inject(simulator.Fault{Operation: kind.looks, Status: 500})
		w.pass(obj, syncInterval)
		w.read(obj)
		Expect(obj.GetResourceVersion()).To(Equal(version))
		w.pass(obj, 5*time.Minute)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		w.sim.ClearFaults()
		w.pass(obj, 5*time.Minute)
		w.ready(obj)
	})

	for text, fault := range map[string]simulator.Fault{
		"a hang-up before the work":    {HangUp: simulator.HangUpBefore},
		"a hang-up after the work":     {HangUp: simulator.HangUpAfter},
		"an HTML page":                 {Body: "<html>maintenance</html>"},
		"an HTML page after the work":  {Body: "<html>oops</html>", WorkDone: true},
		"a truncated answer":           {Truncate: true},
		"a 500":                        {Status: 500},
		"a 429 without a time":         {Status: 429},
		"a 503 that says when it ends": {Status: 503, RetryAfter: "1"},
	} {
		forEach("survives "+text, func(kind dependentKind) {
			w, _ := withAccount()
			fault.Operation, fault.Times = kind.creates, 1
			w.sim.Inject(fault)
			obj := kind.make(w, "dependent", of("acme"))
			w.create(obj)
			Eventually(func() []string { w.read(obj); return reasons(obj) }).Should(
				ConsistOf(Or(Equal(v1alpha1.ReasonFailed), Equal(v1alpha1.ReasonThrottled))))
			until(w, obj, 10*time.Second, metav1.ConditionTrue, v1alpha1.ReasonSynced) // a change nearby may have it tried again before
			Expect(right(w, kind)()).To(BeTrue())
		})
	}

	forEach("is deleted although the answer that it was made was lost", func(kind dependentKind) {
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{Operation: kind.creates, HangUp: simulator.HangUpAfter, Times: 1})
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(there(w, kind)()).To(BeTrue())
		w.remove(obj)
		w.gone(obj)
		Expect(there(w, kind)()).To(BeFalse())
	})
})
