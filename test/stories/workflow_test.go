package stories

import (
	"regexp"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// workflowIDs are those in the simulator, the oldest first.
func workflowIDs(w *world) []string {
	var ids []string
	for _, workflow := range w.sim.State("test").Workflows {
		ids = append(ids, workflow.ID)
	}
	return ids
}

var attemptID = regexp.MustCompile(`retry-create=([A-Z0-9]+)`)

var _ = Describe("A public workflow", func() {
	It("is made once, with four Kubernetes writes, and then left alone", func() {
		w, _ := withAccount()
		before := w.writes("publicworkflows")
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.ready(flow)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"createSessionToken": 1, "createPublicWorkflow": 1}))
		Expect(workflowIDs(w)).To(Equal([]string{flow.Status.ID}))
		Expect(flow.Status.Intent).To(BeNil())
		Eventually(func() map[string]string { w.read(flow); return flow.Annotations }).Should(HaveKeyWithValue(
			"cobalt.gocobalt.io/workflow-id", w.namespace+"/sync:"+flow.Status.ID+"/"+flow.Status.Hash))
		after := w.writes("publicworkflows")
		Expect(after - before).To(BeNumerically("<=", 4))

		By("reconciling it ten times, a restart, and a wiped status")
		w.sim.ResetCalls()
		for range 10 {
			w.request(flow, word())
		}
		w.restart()
		Eventually(func() int { return w.passes(flow) }).Should(BeNumerically(">", 0))
		id := flow.Status.ID
		w.read(flow)
		flow.Status = v1alpha1.PublicWorkflowStatus{}
		Expect(w.Status().Update(w.ctx, flow)).To(Succeed())
		w.request(flow, "after the wipe")
		w.ready(flow)
		Expect(flow.Status.ID).To(Equal(id))
		Expect(w.sim.Calls()).NotTo(HaveKey("createPublicWorkflow"))

		By("being deleted and created again from a backup without status")
		backup := w.publicWorkflow("sync", of("acme"))
		backup.Annotations = flow.Annotations
		w.remove(flow)
		w.gone(flow)
		Eventually(func() []string { return w.events(flow) }).Should(ContainElement(
			"Warning LeftBehind left in Cobalt, as its API cannot delete workflows: " + id))
		w.create(backup)
		w.ready(backup)
		Expect(backup.Status.ID).To(Equal(id))
		Expect(workflowIDs(w)).To(Equal([]string{id}))
	})

	It("is another one for each content, and the earlier one again when that comes back", func() {
		w, _ := withAccount()
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.ready(flow)
		first := flow.Status.ID
		w.change(flow, func() { flow.Spec.Nodes[1].Config = &runtime.RawExtension{Raw: []byte(`{"lines":4}`)} })
		w.ready(flow)
		Expect(workflowIDs(w)).To(HaveLen(2))
		Expect(flow.Status.ID).NotTo(Equal(first))
		Expect(flow.Status.PreviousWorkflows).To(HaveLen(1))
		w.change(flow, func() { flow.Spec.Nodes[1].Config = &runtime.RawExtension{Raw: []byte(` { "lines" : 3 } `)} })
		w.ready(flow)
		Expect(flow.Status.ID).To(Equal(first))
		Expect(workflowIDs(w)).To(HaveLen(2))
	})

	It("is made once in an account that an operator died of making again", enumeration, func() {
		atEveryPoint(func(end death) acts {
			w, acme := withAccount()
			defer func() { w.stop() }()
			there := func() bool {
				w.time.Advance(30 * time.Second)
				w.read(acme)
				account := w.remote("acme")
				return account != nil && acme.Status.ID == account.ID
			}
			w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
			w.doom.arm(end)
			Eventually(func() bool { return there() || w.doom.isDead() }).Should(BeTrue())
			all := w.doom.counted()
			if w.doom.died() {
				w.stop()
				w.doom.spare()
				w.start()
			}
			w.doom.spare() // one that is there already would die of the workflow
			workflow := w.publicWorkflow("sync", of("acme"))
			w.create(workflow)
			Eventually(func() []string { w.time.Advance(time.Second); w.read(workflow); return reasons(workflow) }).ShouldNot(BeEmpty())
			Eventually(func() bool {
				w.read(workflow)
				return there() && slices.Equal(reasons(workflow), []string{v1alpha1.ReasonSynced})
			}).Should(BeTrue())
			w.request(workflow, "now")
			w.ready(workflow)
			Expect(workflowIDs(w)).To(Equal([]string{workflow.Status.ID}))
			return all
		})
	})

	It("is made in an account that only seemed to be gone, after another look at that", func() {
		w, acme := withAccount()
		w.create(w.account("globex"))
		w.ready(w.account("globex"))
		id := w.remote("acme").ID
		w.sim.Inject(simulator.Fault{
			Operation: "listLinkedAccounts", ContentType: "application/json",
			Body: `[{"_id":"` + w.remote("globex").ID + `","linked_account_id":"globex"}]`,
		})
		w.sim.Inject(simulator.Fault{Operation: "getLinkedAccount", Account: "acme", Status: 404})
		w.sim.ResetCalls()
		w.pass(acme, syncInterval)
		Eventually(func() int { return w.sim.Calls()["upsertLinkedAccount"] }).Should(Equal(1))
		w.ready(acme)
		Expect(acme.Status.ID).To(Equal(id))
		w.sim.ClearFaults()
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		w.restart()
		w.ready(flow)
		Expect(workflowIDs(w)).To(Equal([]string{flow.Status.ID}))
	})

	It("is made again for an account that was made again", func() {
		w, acme := withAccount()
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.ready(flow)
		id := flow.Status.ID
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(acme, "now")
		Eventually(func() string { w.read(flow); return flow.Status.ID }).ShouldNot(Equal(id))
		w.ready(flow)
		Expect(workflowIDs(w)).To(Equal([]string{flow.Status.ID}))
	})

	It("is not made for an account that an operator starts with the sight of, though it was made again since", func() {
		w, acme := withAccount()
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.ready(flow)
		w.change(acme, func() { acme.Spec.Suspend = true }) // or the operator would see the new one at once
		was, id := copyOf(acme), flow.Status.ID
		w.change(acme, func() { acme.Spec.Suspend = false })
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(acme, "now")
		Eventually(func() string { w.read(flow); return flow.Status.ID }).ShouldNot(Equal(id))
		w.ready(flow)
		w.stop()
		w.change(acme, func() { acme.Spec.Suspend = true })
		w.change(flow, func() { flow.Spec.Description = "another" })
		w.succeed(longAgo, was, copyOf(acme))
		w.change(acme, func() { acme.Spec.Suspend = false })
		w.ready(acme)
		w.time.Advance(time.Second)
		w.request(flow, "now")
		w.ready(flow)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("createPublicWorkflow", 2))
	})

	It("is made as soon as its namespace may use the environment", func() {
		w := newWorld()
		w.create(w.keySecret(goodKey))
		env := secondEnvironment(w, true).(*v1alpha1.ClusterEnvironment)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		w.change(env, func() { env.Spec.AllowedNamespaces.Selector.MatchLabels = map[string]string{"cobalt": "yes"} })
		w.ready(env) // and the operator knows of that
		flow := w.publicWorkflow("sync", ofID("acme"))
		flow.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: env.Name}
		w.create(flow)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.change(env, func() { env.Spec.AllowedNamespaces.Selector.MatchLabels = nil })
		w.ready(flow)
	})

	It("waits for its account", func() {
		w := newWorld()
		w.connected()
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		w.create(w.account("acme"))
		w.ready(flow)
	})

	It("gets another session token when the one it has is refused", func() {
		w, _ := withAccount()
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.ready(flow)
		w.sim.RevokeSessionTokens("test", "acme")
		w.sim.ResetCalls()
		w.change(flow, func() { flow.Spec.Name = "Sync more deals" })
		w.ready(flow)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"createSessionToken": 1, "createPublicWorkflow": 2}))
		Expect(workflowIDs(w)).To(HaveLen(2))
	})

	It("that Cobalt refuses says so and is tried again once per sync interval", func() {
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{Operation: "createPublicWorkflow", Status: 400})
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(flow.Status.Intent).To(BeNil())
		calls := w.sim.Calls()["createPublicWorkflow"]
		w.restart()
		Eventually(func() int { return w.passes(flow) }).Should(BeNumerically(">", 0))
		Expect(w.sim.Calls()["createPublicWorkflow"]).To(Equal(calls), "a restart is no reason")
		w.pass(flow, syncInterval)
		Expect(w.sim.Calls()["createPublicWorkflow"]).To(Equal(calls + 1))
		w.sim.ClearFaults()
		w.request(flow, "now")
		w.ready(flow)
	})

	DescribeTable("whose creation has no known end is not made twice", func(fault simulator.Fault, worked, restarts bool) {
		w, _ := withAccount()
		fault.Operation, fault.Times = "createPublicWorkflow", 1
		w.sim.Inject(fault)
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		message := w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonCreateOutcomeUnknown)
		Expect(stalledNow(flow)).To(BeTrue())
		Expect(message).To(MatchRegexp(`^a workflow was being created and the call had no clear end \(.*createPublicWorkflow\b.*\), so Cobalt may have it or not: `))
		if restarts {
			w.restart()
		}
		w.request(flow, "now")
		w.pass(flow, syncInterval)
		Expect(w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonCreateOutcomeUnknown)).To(Equal(message))
		Expect(w.sim.Calls()).To(HaveKeyWithValue("createPublicWorkflow", 1))

		if worked {
			By("the user finding it in Cobalt")
			id := workflowIDs(w)[0]
			w.change(flow, func() { metav1.SetMetaDataAnnotation(&flow.ObjectMeta, v1alpha1.AdoptWorkflowAnnotation, id) })
			w.ready(flow)
			Expect(flow.Status.ID).To(Equal(id))
			Expect(w.sim.Calls()).To(HaveKeyWithValue("createPublicWorkflow", 1))

			By("another content, and a wiped status: the annotation is a wish that was granted")
			w.change(flow, func() { flow.Spec.Name = "Another" })
			w.ready(flow)
			another := flow.Status.ID
			Expect(another).NotTo(Equal(id))
			Eventually(func() string { w.read(flow); return flow.Annotations["cobalt.gocobalt.io/workflow-id"] }).Should(ContainSubstring(another))
			flow.Status = v1alpha1.PublicWorkflowStatus{}
			Expect(w.Status().Update(w.ctx, flow)).To(Succeed())
			w.request(flow, "after the wipe")
			w.ready(flow)
			Expect(flow.Status.ID).To(Equal(another))
			return
		}
		By("the user finding that it is not in Cobalt")
		retry := func(attempt string) {
			w.change(flow, func() { metav1.SetMetaDataAnnotation(&flow.ObjectMeta, v1alpha1.RetryCreateAnnotation, attempt) })
		}
		retry("not-the-attempt")
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonCreateOutcomeUnknown)
		if restarts {
			w.stop()
		}
		retry(attemptID.FindStringSubmatch(message)[1])
		if restarts {
			w.start()
		}
		w.ready(flow)
		Expect(workflowIDs(w)).To(Equal([]string{flow.Status.ID}))
	},
		Entry("hang-up after the work", simulator.Fault{HangUp: simulator.HangUpAfter}, true, true),
		Entry("hang-up before the work", simulator.Fault{HangUp: simulator.HangUpBefore}, false, true),
		Entry("a 500", simulator.Fault{Status: 500}, false, true),
		Entry("a 408 after the work", simulator.Fault{Status: 408, WorkDone: true}, true, false),
		Entry("a page after the work", simulator.Fault{Body: "<html>oops</html>", WorkDone: true}, true, true),
		Entry("an answer without an id", simulator.Fault{ContentType: "application/json", Body: `{"name":"Sync deals"}`}, false, false),
	)
})
