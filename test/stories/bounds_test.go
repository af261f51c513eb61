package stories

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// keysFrom has an account take YourApp from key json of a ConfigMap.
func keysFrom(name string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) {
		source := v1alpha1.ValueSource{ConfigMapKeyRef: &v1alpha1.ConfigMapKeyReference{Name: name, Key: "json"}}
		obj.Spec.YourAppFrom = append(obj.Spec.YourAppFrom, source)
	}
}

// payloadFrom has a trigger take payload from key json of a Secret.
func payloadFrom(name string) func(*v1alpha1.EventTrigger) {
	return func(obj *v1alpha1.EventTrigger) {
		source := v1alpha1.ValueSource{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: name, Key: "json"}}
		obj.Spec.PayloadFrom = append(obj.Spec.PayloadFrom, source)
	}
}

// manyKeys is a ConfigMap with a JSON object of so many keys of so many characters.
func manyKeys(w *world, name string, count, length int) *corev1.ConfigMap {
	GinkgoHelper()
	values := map[string]int{}
	for i := range count {
		values[fmt.Sprintf("%0*d", length, i)] = i
	}
	text, err := json.Marshal(values)
	Expect(err).NotTo(HaveOccurred())
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Data: map[string]string{"json": string(text)}}
}

var _ = Describe("What others make large", func() {
	It("is refused before anything is sent, if status has no room for its keys", func() {
		w := newWorld()
		w.connected()
		w.sim.ResetCalls()
		keys := manyKeys(w, "keys", 1000, 800)
		acme := w.account("acme", keysFrom("keys"))
		w.create(keys, acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonInvalidInput)
		Expect(message).To(ContainSubstring("use shorter keys or fewer"))
		Expect(stalledNow(acme)).To(BeTrue())
		Expect(w.sim.Calls()).NotTo(HaveKey(HaveSuffix("LinkedAccount")))

		By("using as many of them as there is room for, which are all taken back")
		w.change(keys, func() { keys.Data = manyKeys(w, "keys", 1000, 255).Data })
		w.ready(acme)
		Expect(acme.Status.YourAppKeys).To(HaveLen(1000))
		w.change(acme, func() { acme.Spec.YourAppFrom = nil })
		w.ready(acme)
		Expect(w.remote("acme").YourApp).To(BeEmpty())
	})

	It("is cut where it is only shown, and does not keep an event from being recorded", func() {
		w := newWorld()
		w.connected()
		wanted, others := map[string]any{}, map[string]any{}
		for i := range 9 {
			key := fmt.Sprint(i, strings.Repeat("ä", 500))
			wanted[key], others[key] = "wanted", "other"
		}
		text, err := json.Marshal(wanted)
		Expect(err).NotTo(HaveOccurred())
		acme := w.account("acme", yourApp(string(text)))
		w.create(acme)
		w.ready(acme)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme", YourApp: others})
			return err
		})
		w.pass(acme, syncInterval)
		Eventually(func() []string { return w.events(acme) }).Should(ContainElement(And(
			HavePrefix("Normal Updated corrected in Cobalt: yourApp.0ää"), HaveSuffix("and 1 more"))))
	})

	It("costs nothing where a refusal repeats all of it", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{
			Operation: "upsertLinkedAccount", Status: 400, ContentType: "application/json",
			Body: `{"error_code":"VALIDATION_ERROR","message":"not like that: ` + strings.Repeat(`hunter2-000017, hunter2-000018, `, 11_000) + `"}`,
		})
		values := map[string]string{}
		for i := range 10_000 {
			values[fmt.Sprint("k", i)] = fmt.Sprintf("hunter2-%06d", i)
		}
		text, err := json.Marshal(map[string]any{"all": values})
		Expect(err).NotTo(HaveOccurred())
		acme := w.account("acme")
		acme.Spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "values", Key: "json"}}}
		w.create(w.secret("values", map[string]string{"json": string(text)}), acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(ContainSubstring("not like that: [redacted], [redacted]"))
		Expect(len(message)).To(BeNumerically("<", 400))
	})
})

var _ = Describe("A secret", func() {
	It("is not shown where a customer has put it into another field", func() {
		w, _ := withAccount()
		w.create(w.secret("crm", map[string]string{"token": "hunter2-token"}))
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.UpsertConfig(w.ctx, "acme", "hubspot", "")
			return err
		})
		setField(w, "owner_email", "my token is hunter2-token")
		config := w.config("acme", of("acme"), fieldFrom("deal_stage", "crm", "token"), field("owner_email", `"a@acme.example"`))
		config.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
		w.create(config)
		w.settled(config, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		Expect(config.Status.Drift).To(ConsistOf(
			v1alpha1.Drift{Path: "fields.deal_stage", Desired: "[redacted]", Observed: "[redacted]"},
			v1alpha1.Drift{Path: "fields.owner_email", Desired: `"a@acme.example"`, Observed: `"my token is [redacted]"`},
		))
	})

	It("may be part of an id, which is not changed where it is needed", func() {
		w, _ := withAccount(slowly)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Logs: []string{"sync-deals is done"}})
		deal := w.secret("deal", map[string]string{"json": `{"workflow":"sync-deals","says":"hunter2 completed","event":"completed"}`})
		trigger := w.trigger("fire", of("acme"), executing("sync-deals"), payloadFrom("deal"))
		trigger.Spec.Logs = v1alpha1.LogsTail
		w.create(deal, trigger)
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(trigger.Status.ExecutionID).To(Equal(executionIDs(w)[0]))
		Expect(trigger.Status.Phase).To(Equal(v1alpha1.PhaseCompleted))
		Expect(trigger.Status.Logs).To(ContainElement("[redacted] is done"))

		By("an account with a key of that name")
		other := w.account("other", yourApp(`{"execution":1}`), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "deal", Key: "json"}}}
		})
		w.create(other)
		w.ready(other)
		Expect(other.Status.YourAppKeys).To(ConsistOf("event", "execution", "says", "workflow"))
		w.change(other, func() { other.Spec.YourApp = nil })
		w.ready(other)
		Expect(w.remote("other").YourApp).NotTo(HaveKey("execution"))
	})
})

var _ = Describe("A clock that jumps", func() {
	It("has what is due by then started, or told to be missed", func() {
		w, _ := withAccount()
		hourly := w.trigger("hourly", of("acme"), every("0 * * * *", ""))
		strict := w.trigger("strict", of("acme"), every("0 * * * *", ""), func(obj *v1alpha1.EventTrigger) { obj.Spec.StartingDeadline = "1m" })
		armed(w, hourly)
		armed(w, strict)
		w.time.Step(3*time.Hour - time.Duration(w.time.Now().Minute()-30)*time.Minute) // half past, and no time has passed
		w.steady.Step(30 * time.Second)
		Eventually(func() int { return fires(w) }).Should(Equal(1))
		Eventually(func() []string { return w.events(strict) }).Should(ContainElement(HavePrefix("Warning RunMissed")))
		for _, trigger := range []*v1alpha1.EventTrigger{hourly, strict} {
			Eventually(func() time.Time { w.read(trigger); return trigger.Status.NextScheduleTime.Time }).Should(BeTemporally(">", w.time.Now()))
		}
		Consistently(func() int { return fires(w) }, "100ms").Should(Equal(1))
	})
})
