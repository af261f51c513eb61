package stories

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// madeByHand has somebody make what the object of a life stands for, some time before the object comes.
func madeByHand(w *world, kind string) {
	GinkgoHelper()
	makeByHand(w, kind)
	w.time.Advance(50 * time.Second)
}

func makeByHand(w *world, kind string) {
	GinkgoHelper()
	w.byHand(func(api *cobalt.Client) error {
		switch kind {
		case "a LinkedAccount":
			_, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "doomed", Name: "theirs"})
			return err
		case "an IntegrationConfig":
			_, err := api.UpsertConfig(w.ctx, "acme", "hubspot", "")
			return err
		}
		_, err := api.CreateWebhook(w.ctx, "acme", cobalt.WebhookInput{URL: "https://theirs.example/", Events: []string{"a", "c"}})
		return err
	})
}

// creates is the call that makes what each kind stands for, and looks the one that reads it.
var (
	creates = map[string]string{
		"a LinkedAccount": "upsertLinkedAccount", "an IntegrationConfig": "upsertConfig", "a Webhook": "createWebhook",
	}
	looks = map[string]string{
		"a LinkedAccount": "getLinkedAccount", "an IntegrationConfig": "getConfigById", "a Webhook": "getWebhook",
	}
)

var _ = Describe("What others made in Cobalt", func() {
	for kind, tc := range lives {
		It(fmt.Sprintf("stays when an object goes that was applied soon after (%s)", kind), func() {
			w, acme := withAccount()
			w.pass(acme, syncInterval) // so that there is a list, which does not have it
			madeByHand(w, kind)
			obj := tc.make(w)
			w.create(obj)
			w.ready(obj)
			Expect(obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }).CommonStatus().Origin).To(Equal(v1alpha1.OriginAdopted))
			Eventually(func() []string { return w.events(obj) }).Should(ContainElement("Normal Adopted found in Cobalt and adopted"))
			w.sim.ResetCalls()
			w.remove(obj)
			w.gone(obj)
			Expect(w.sim.Calls()).NotTo(HaveKey(tc.deletes))
			Expect(tc.has(w)).NotTo(Equal(tc.left))
		})

		It(fmt.Sprintf("stays when an object goes whose first call had no known end (%s)", kind), func() {
			w, acme := withAccount()
			w.pass(acme, syncInterval)
			madeByHand(w, kind)
			w.sim.Inject(simulator.Fault{Operation: creates[kind], Status: http.StatusServiceUnavailable, Times: 1})
			obj := tc.make(w)
			w.create(obj)
			Eventually(func() []string { w.read(obj); return reasons(obj) }).ShouldNot(BeEmpty())
			w.remove(obj)
			w.gone(obj)
			Expect(w.sim.Calls()).NotTo(HaveKey(tc.deletes))
			Expect(tc.has(w)).NotTo(Equal(tc.left))
		})
	}
})

var _ = Describe("What an object made in Cobalt", func() {
	for kind, tc := range lives {
		It(fmt.Sprintf("goes with it although the answer to the first call was lost (%s)", kind), func() {
			w, _ := withAccount()
			w.sim.Inject(simulator.Fault{Operation: creates[kind], HangUp: simulator.HangUpAfter, Times: 1})
			obj := tc.make(w)
			w.create(obj)
			w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonFailed)
			w.pass(obj, time.Minute)
			w.ready(obj)
			Expect(obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }).CommonStatus().Origin).To(Equal(v1alpha1.OriginCreated))
			w.remove(obj)
			w.gone(obj)
			Expect(tc.has(w)).To(Equal(tc.left))
		})

		for form, miss := range map[string]simulator.Fault{
			"a text":              {ContentType: "text/plain", Body: "404 page not found"},
			"nothing":             {ContentType: "text/plain", Body: " "},
			"a gateway's JSON":    {ContentType: "application/json", Body: `{"message":"no Route matched with those values"}`},
			"the API's own form":  {ContentType: "application/json", Body: `{"error_code":"RESOURCE_NOT_FOUND","message":"not found"}`},
			"the form of a proxy": {ContentType: "application/json", Body: `{"error":"not found"}`},
		} {
			for _, operation := range []string{tc.deletes, looks[kind], ""} {
				It(fmt.Sprintf("goes with it although one 404 is false (%s, %s, to %q)", kind, form, operation), func() {
					w, _ := withAccount()
					obj := tc.make(w)
					w.create(obj)
					w.ready(obj)
					miss.Operation, miss.Status, miss.Times = operation, http.StatusNotFound, 1
					w.sim.Inject(miss)
					w.remove(obj)
					Eventually(func(g Gomega) {
						w.time.Advance(time.Second)
						over, _ := tc.over(w, phases[2], obj)
						g.Expect(over).To(BeTrue())
					}).Should(Succeed())
					Expect(tc.has(w)).To(Equal(tc.left))
				})
			}
		}

		It(fmt.Sprintf("is asked for once more half a minute later where nobody says in the API's form that it is gone (%s)", kind), func() {
			w, _ := withAccount()
			obj := tc.make(w)
			w.create(obj)
			w.ready(obj)
			for _, operation := range []string{tc.deletes, looks[kind]} {
				w.sim.Inject(simulator.Fault{Operation: operation, Status: http.StatusNotFound, ContentType: "text/plain", Body: "404 page not found"})
			}
			w.remove(obj)
			message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonFailed)
			Expect(message).To(HavePrefix("that it is gone was said in a form that is not Cobalt's own, so Cobalt is asked once more: "))
			Eventually(func() time.Duration { delay, _ := w.delay(obj); return delay }).Should(Equal(30 * time.Second))
			w.time.Advance(30 * time.Second)
			w.gone(obj)
		})
	}

	It("is not called gone while the whole API answers that nothing is there", func() {
		w, acme := withAccount()
		w.pass(acme, syncInterval)
		w.sim.Inject(simulator.Fault{Status: http.StatusNotFound, ContentType: "text/plain", Body: "404 page not found"})
		w.remove(acme)
		for range 10 {
			w.time.Advance(30 * time.Second)
			w.read(acme)
		}
		w.sim.ClearFaults()
		Eventually(func() any { w.time.Advance(time.Second); return w.remote("acme") }).Should(BeNil())
		w.gone(acme)
	})
})

var _ = Describe("A look that finds nothing", func() {
	for form, miss := range map[string]simulator.Fault{
		"a text":           {ContentType: "text/plain", Body: "404 page not found"},
		"nothing":          {ContentType: "text/plain", Body: " "},
		"a gateway's JSON": {ContentType: "application/json", Body: `{"message":"no Route matched with those values"}`},
	} {
		It("has a webhook of others neither written over nor called the object's own, if something on the way said so: "+form, func() {
			w, _ := withAccount()
			w.byHand(func(api *cobalt.Client) error {
				_, err := api.CreateWebhook(w.ctx, "acme", cobalt.WebhookInput{URL: "https://theirs.example/", Events: []string{"a"}})
				return err
			})
			w.sim.ResetCalls()
			miss.Operation, miss.Status, miss.Times = "getWebhook", http.StatusNotFound, 1
			w.sim.Inject(miss)
			hook := w.webhook("mine", of("acme"), "a")
			w.create(hook)
			message := w.settled(hook, metav1.ConditionFalse, v1alpha1.ReasonFailed)
			Expect(message).To(HavePrefix("that it is not there was said in a form that is not Cobalt's own, so Cobalt is asked once more: "))
			Expect(w.sim.Calls()).NotTo(HaveKey("createWebhook"))
			Eventually(func() time.Duration { delay, _ := w.delay(hook); return delay }).Should(Equal(30 * time.Second))
			w.time.Advance(30 * time.Second)
			w.ready(hook)
			Expect(hook.Status.Origin).To(Equal(v1alpha1.OriginAdopted))
		})

		It("has nothing made twice, if something on the way said so: "+form, func() {
			w, _ := withAccount()
			hook := w.webhook("mine", of("acme"), "a")
			w.create(hook)
			w.ready(hook)
			w.sim.ResetCalls()
			miss.Operation, miss.Status, miss.Times = "getWebhook", http.StatusNotFound, 1
			w.sim.Inject(miss)
			w.pass(hook, syncInterval)
			Eventually(func() time.Duration { delay, _ := w.delay(hook); return delay }).Should(Equal(30 * time.Second))
			w.time.Advance(30 * time.Second)
			Eventually(func() int { return w.sim.Calls()["getWebhook"] }).Should(Equal(2))
			w.ready(hook)
			Expect(w.sim.Calls()).NotTo(HaveKey("createWebhook"))
		})

		It("is believed the second time, half a minute later: "+form, func() {
			w, _ := withAccount()
			miss.Operation, miss.Status, miss.Times = "getWebhook", http.StatusNotFound, 2
			w.sim.Inject(miss)
			hook := w.webhook("mine", of("acme"), "a")
			w.create(hook)
			w.settled(hook, metav1.ConditionFalse, v1alpha1.ReasonFailed)
			Eventually(func() time.Duration { delay, _ := w.delay(hook); return delay }).Should(Equal(30 * time.Second))
			w.time.Advance(30 * time.Second)
			w.ready(hook)
			Expect(hook.Status.Origin).To(Equal(v1alpha1.OriginCreated))
		})
	}
})

var _ = Describe("An account that goes after the operator has looked at it", func() {
	It("goes with its object if the operator's own call has made it again", func() {
		w, acme := withAccount()
		w.doom.changeCalls(func(call *http.Request) {
			if call.Method == http.MethodGet {
				return
			}
			w.doom.onTheWay = nil
			removal := httptest.NewRequest(http.MethodDelete, simulator.BasePath+"/public/linked-account/acme", http.NoBody)
			removal.Header = call.Header.Clone()
			w.sim.ServeHTTP(httptest.NewRecorder(), removal)
		})
		was := acme.Status.ID
		w.change(acme, func() { acme.Spec.Name = "Acme, renamed" })
		Eventually(func() string { w.read(acme); return acme.Status.ID }).ShouldNot(Equal(was))
		w.ready(acme)
		Expect(w.remote("acme").Name).To(Equal("Acme, renamed"))
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
	})
})
