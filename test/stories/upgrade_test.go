package stories

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// lookedAt waits until the operator has looked at each of these, and has planned when it looks at them again.
func (w *world) lookedAt(objects []client.Object) {
	GinkgoHelper()
	for _, obj := range objects {
		Eventually(func() int { return w.passes(obj) }).Should(BeNumerically(">", 0), "%T %s", obj, obj.GetName())
		if w.restsForGood(obj) {
			continue
		}
		Eventually(func() bool { _, planned := w.delay(obj); return planned }).Should(BeTrue(), "%T %s", obj, obj.GetName())
	}
	Eventually(w.time.Idle).Should(BeTrue())
}

// restsForGood tells whether obj is looked at again only when it changes.
func (w *world) restsForGood(obj client.Object) bool {
	switch obj := obj.(type) {
	case *v1alpha1.EventTrigger:
		return obj.Spec.Suspend || obj.Spec.Schedule == ""
	case *v1alpha1.PublicWorkflow:
		return true
	case object.Managed:
		return obj.MemberSpec().Suspend || obj.CommonSpec().SyncInterval == "0s"
	}
	return false
}

// versionsOf are the versions of all that there is, by what it is.
func (w *world) versionsOf(objects []client.Object) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for _, obj := range objects {
		w.read(obj)
		versions[controllerOf(obj)+" "+obj.GetName()] = obj.GetResourceVersion()
	}
	return versions
}

// touch changes a label of an object, and nothing that the operator uses.
func (w *world) touch(obj client.Object, name string) {
	GinkgoHelper()
	obj.SetNamespace(w.namespace)
	obj.SetName(name)
	w.read(obj)
	w.change(obj, func() { obj.SetLabels(map[string]string{"touched": "yes"}) })
}

var _ = Describe("An upgrade from 54fcec1 with a thousand objects of all kinds", enumeration, func() {
	It("costs no call, no write, no event, and sends nothing again; looks come as usual", func() {
		const copies = 28
		w := newWorld()
		w.stop()
		objects := readStored(stored54fcec1).restore(w, copies)
		Expect(len(objects)).To(BeNumerically(">=", 1000))
		w.clusterEnvironment() // which has it go with the story
		before := w.versionsOf(objects)
		unchanged := func() {
			GinkgoHelper()
			Expect(w.writes(memberKinds...)).To(BeZero(), "not even of the origin, which nothing has looked for")
			Expect(w.written.Of("", "secrets")).To(BeZero())
			Expect(w.versionsOf(objects)).To(Equal(before))
			Expect(w.allEvents()).To(BeEmpty())
		}
		w.sim.ResetCalls()

		By("starting")
		w.start()
		w.lookedAt(objects)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"listApplications": 2}), "the probe of each of the two environments, as at every start")
		unchanged()
		Expect(w.writes(everyKind...)).To(BeZero(), "nor of an environment")

		By("letting a sync interval pass, after which an environment may say that many wait for their turn")
		w.sim.ResetCalls()
		w.time.Advance(syncInterval)
		w.lookedAt(objects)
		calls := w.sim.Calls()
		Expect(calls["listApplications"]).To(And(BeNumerically(">=", copies), BeNumerically("<=", copies+2)),
			"of each account that observes them, and of an environment whose objects have not called before it looks")
		delete(calls, "listApplications")
		Expect(calls).To(Equal(map[string]int{
			"listLinkedAccounts":   2,          // for each of the environments
			"listInstalledConfigs": 6 * copies, // of each account that has configs of objects which are not suspended
			"getWebhook":           3 * copies,
		}))
		unchanged()

		By("touching the Secrets and ConfigMaps of one copy, whose contents are the same")
		w.sim.ResetCalls()
		creds, app := w.account("creds-n000"), w.account("app-n000")
		fired, config := w.trigger("workflow-n000", of("app-n000")), w.config("sources-n000", of("creds-n000"))
		w.afterwards([]client.Object{creds, app, fired, config}, func() {
			w.touch(&corev1.Secret{}, "oauth-n000")
			w.touch(&corev1.Secret{}, "slack-n000")
			w.touch(&corev1.Secret{}, "app-n000")
			w.touch(&corev1.ConfigMap{}, "app-n000")
		})
		Expect(w.sim.Calls()).To(BeEmpty())
		Expect(w.writes(memberKinds...)).To(BeNumerically("<=", 1), "of the trigger, which was not looked at since the upgrade")
	})
})
