package stories

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

var _ = Describe("An answer", func() {
	const json, page = "application/json", "<html>Sorry</html>"

	DescribeTable("that need not be the API's leaves open whether a run was started: it is not started again",
		func(fault simulator.Fault, words string) {
			w, _ := withAccount()
			fault.Operation, fault.WorkDone = "executeWorkflow", true
			w.sim.Inject(fault)
			trigger := w.trigger("fire", of("acme"), executing("sync-deals"))
			w.create(trigger)
			message := w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)
			Expect(stalledNow(trigger)).To(BeTrue())
			Expect(message).To(HavePrefix("the call had no clear end (executeWorkflow: " + words + "), so the call may have started an execution or not: "))
			w.pass(trigger, syncInterval)
			w.request(trigger, "now")
			Expect(w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)).To(Equal(message))
			Expect(fires(w)).To(Equal(1))
			Expect(executionIDs(w)).To(HaveLen(1))
		},
		Entry("a status that the workflow sets", simulator.Fault{Status: 422, ContentType: json, Body: `{"ok":false}`},
			"422 Unprocessable Entity: the answer is not in the API's form"),
		Entry("a 404 in text", simulator.Fault{Status: 404, ContentType: "text/plain", Body: "no such customer"},
			"404 Not Found: the answer is not in the API's form"),
		Entry("a 401 of a system behind the workflow", simulator.Fault{Status: 401, ContentType: json, Body: `{"message":"log in"}`},
			"401 Unauthorized: log in"),
		Entry("a 429 of one", simulator.Fault{Status: 429, ContentType: json, Body: `{}`},
			"429 Too Many Requests: the answer is not in the API's form"),
		Entry("a page", simulator.Fault{Status: 403, Body: page},
			"403 Forbidden: the answer is an HTML page: is the base URL right?"),
		Entry("an error that comes with a 200", simulator.Fault{ContentType: json, Body: `{"error":"half done"}`},
			"200 OK: half done"),
	)

	It("that names an execution is a result, and slows nobody down", func() {
		w, acme := withAccount(slowly)
		w.sim.Inject(simulator.Fault{
			Operation: "executeWorkflow", Status: 429, RetryAfter: "3600", ContentType: json, Body: `{"execution_id":"e1","error":"busy"}`,
		})
		trigger := w.trigger("fire", of("acme"), executing("sync-deals"))
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		w.change(acme, func() { named("Another")(acme) })
		w.ready(acme)
		Expect(w.remote("acme").Name).To(Equal("Another"))
	})

	It("of a gateway to the making of a workflow leaves open whether it was made", func() {
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{
			Operation: "createPublicWorkflow", Status: 401, ContentType: "text/plain", Body: "no session", WorkDone: true,
		})
		flow := w.publicWorkflow("sync", of("acme"))
		w.create(flow)
		message := w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonCreateOutcomeUnknown)
		Expect(message).To(HavePrefix("a workflow was being created and the call had no clear end (createPublicWorkflow: 401 Unauthorized: "))
		w.pass(flow, syncInterval)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonCreateOutcomeUnknown)
		Expect(workflowIDs(w)).To(HaveLen(1))
	})

	for _, status := range []int{http.StatusConflict, http.StatusMisdirectedRequest, http.StatusLocked} {
		It("that refuses for now is tried again when it says: "+http.StatusText(status), func() {
			w, acme := withAccount()
			w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: status, RetryAfter: "30", Times: 1})
			before := w.sim.Calls()["upsertLinkedAccount"]
			w.change(acme, func() { named("Another")(acme) })
			w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
			Expect(stalledNow(acme)).To(BeFalse())
			Eventually(func() time.Duration { delay, _ := w.delay(acme); return delay }).Should(BeNumerically("~", 30*time.Second, time.Second))
			Expect(w.sim.Calls()["upsertLinkedAccount"] - before).To(Equal(1))
			w.pass(acme, 30*time.Second)
			w.ready(acme)
			Expect(w.remote("acme").Name).To(Equal("Another"))
		})
	}

	It("that is a page for people is no refusal of the object", func() {
		w, acme := withAccount()
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 403, Body: page, Times: 2})
		w.change(acme, func() { named("Another")(acme) })
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).To(Equal("upsertLinkedAccount: 403 Forbidden: the answer is an HTML page: is the base URL right?"))
		Eventually(func() string { w.time.Advance(time.Second); return w.remote("acme").Name }).Should(Equal("Another"))
		w.ready(acme)
	})

	It("that is JSON under another label is the API's", func() {
		w, acme := withAccount()
		w.sim.Inject(simulator.Fault{
			Operation: "upsertLinkedAccount", Status: 400, ContentType: "text/html", Body: `{"error_code":"VALIDATION_ERROR","message":"too long"}`,
		})
		w.change(acme, func() { named("Another")(acme) })
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(Equal("Cobalt refused: upsertLinkedAccount: 400 VALIDATION_ERROR: too long"))
	})
})
