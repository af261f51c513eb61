package stories

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

var _ = Describe("A linked account", func() {
	It("is created with one write call and two Kubernetes writes, and then left alone", func() {
		w := newWorld()
		env := w.connected()
		w.sim.ResetCalls()
		before := w.writes("linkedaccounts")
		acme := w.account("acme", named("Acme Inc"), yourApp(`{"tier":"gold","seats":25}`))
		w.create(acme)
		w.ready(acme)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getLinkedAccount": 1, "upsertLinkedAccount": 1}))
		writes := func() int {
			return w.writes("linkedaccounts") - before
		}
		Expect(writes()).To(Equal(2))
		remote := w.remote("acme")
		Expect(remote.Name).To(Equal("Acme Inc"))
		Expect(remote.YourApp).To(HaveLen(2))
		Expect(acme.Status.ID).To(Equal(remote.ID))
		Expect(acme.Status.Environment).To(Equal("Environment/default"))
		Expect(acme.Annotations).To(HaveKeyWithValue("cobalt.gocobalt.io/account", w.namespace+"/acme:acme"))
		Eventually(func() []string { return w.events(acme) }).Should(ContainElement("Normal Created created in Cobalt"))

		By("restarting: an object that is Ready costs nothing")
		w.sim.ResetCalls()
		version := acme.ResourceVersion
		w.restart()
		Eventually(func() int { return w.passes(acme) }).Should(BeNumerically(">", 0))
		Eventually(func() bool { _, open := w.delay(env); return open }).Should(BeTrue(), "the environment is not looked at yet")
		Expect(w.sim.Calls()).NotTo(HaveKey(HaveSuffix("LinkedAccount")))

		By("looking again after the sync interval: one read, no write")
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listLinkedAccounts", 1))
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version))
		Expect(writes()).To(Equal(2))

		By("deleting it")
		w.sim.ResetCalls()
		w.remove(acme)
		w.gone(acme)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"deleteLinkedAccount": 1}))
		Expect(w.remote("acme")).To(BeNil())
	})

	It("tells what was made of it although it has changed meanwhile", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", yourApp(`{"tier":"gold"}`))
		w.whenHeld("acme", func(held client.Object) {
			w.change(held, func() {
				spec := &held.(*v1alpha1.LinkedAccount).Spec
				spec.YourApp.Raw = []byte(`{"seats":1}`)
				spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "nowhere", Key: "key"}}}
			})
		})
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		Expect(w.remote("acme").YourApp).To(HaveKeyWithValue("tier", "gold"))
		Expect(acme.Status.ID).To(Equal(w.remote("acme").ID))
		w.change(acme, func() { acme.Spec.YourAppFrom = nil })
		w.ready(acme)
		Expect(w.remote("acme").YourApp).To(Equal(map[string]any{"seats": 1.0}))
	})

	It("takes back what it was given although the answer was lost and spec has changed since", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", HangUp: simulator.HangUpAfter, Times: 1})
		acme := w.account("acme", yourApp(`{"tier":"gold"}`))
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(w.remote("acme").YourApp).To(HaveKeyWithValue("tier", "gold"))
		w.change(acme, func() { acme.Spec.YourApp.Raw = []byte(`{"seats":1}`) })
		w.ready(acme)
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginCreated))
		Expect(w.remote("acme").YourApp).To(Equal(map[string]any{"seats": 1.0}))
	})

	It("takes back what it was given although the operator was stopped then, and spec has changed since", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Delay: time.Hour, WorkDone: true, Times: 1})
		acme := w.account("acme", yourApp(`{"tier":"gold"}`))
		w.create(acme)
		Eventually(func() *simulator.LinkedAccount { return w.remote("acme") }).ShouldNot(BeNil())
		w.stop()
		w.change(acme, func() { acme.Spec.YourApp.Raw = []byte(`{"seats":1}`) })
		w.start()
		w.ready(acme)
		Expect(w.remote("acme").YourApp).To(Equal(map[string]any{"seats": 1.0}))
	})

	It("is made anew when it was deleted in Cobalt", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", named("Acme Inc"))
		w.create(acme)
		w.ready(acme)
		id := acme.Status.ID
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.pass(acme, syncInterval)
		Eventually(func() *simulator.LinkedAccount { return w.remote("acme") }).ShouldNot(BeNil())
		Eventually(func() string { w.read(acme); return acme.Status.ID }).ShouldNot(Equal(id))
		w.ready(acme)
	})

	DescribeTable("that others made in the place of the one it created is theirs", func(policy v1alpha1.DeletionPolicy, look, stays bool) {
		w, acme := withAccount()
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginCreated))
		w.change(acme, func() { acme.Spec.DeletionPolicy = policy })
		w.ready(acme)
		w.byHand(func(api *cobalt.Client) error {
			if err := api.DeleteLinkedAccount(w.ctx, "acme"); err != nil {
				return err
			}
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		if look {
			w.request(acme, "now")
			w.ready(acme)
			Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginAdopted))
		} else {
			w.time.Advance(syncInterval / 2) // it is not looked at, and no list is young enough
		}
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme") != nil).To(Equal(stays))
	},
		Entry("once it has seen that", v1alpha1.DeletionPolicy(""), true, true),
		Entry("when it is deleted before it has seen that", v1alpha1.DeletionPolicy(""), false, true),
		Entry("and deleted where spec says so", v1alpha1.DeletionPolicyDelete, false, false),
	)

	It("that others made is theirs, though a list from before lacks it", func() {
		w, acme := withAccount()
		globex := w.account("globex")
		w.create(globex)
		w.ready(globex)
		planned := func() bool { _, planned := w.delay(acme); return planned }
		Eventually(planned).Should(BeTrue())
		w.change(acme, func() { acme.Spec.Suspend = true })
		Eventually(planned).Should(BeFalse(), "or the operator would look for it as well")
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.pass(globex, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listLinkedAccounts", 1))
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).NotTo(BeNil())
		Eventually(func() []string { return w.events(acme) }).Should(
			ContainElement("Normal Released left as it is in Cobalt: others made it"))
	})

	It("that others made is theirs, though a list from more than a minute ago has the one that was in its place", func() {
		w, acme := withAccount()
		w.sim.ResetCalls()
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listLinkedAccounts", 1))
		w.byHand(func(api *cobalt.Client) error {
			if err := api.DeleteLinkedAccount(w.ctx, "acme"); err != nil {
				return err
			}
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		w.time.Advance(time.Minute)
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).NotTo(BeNil())
	})

	It("stays what it is when a list shows the one that was in its place before", func() {
		w, acme := withAccount()
		globex := w.account("globex")
		w.create(globex)
		w.ready(globex)
		id := acme.Status.ID
		w.sim.Inject(simulator.Fault{
			Operation: "listLinkedAccounts", ContentType: "application/json",
			Body: `[{"_id":"before","linked_account_id":"acme"},{"_id":"` + globex.Status.ID + `","linked_account_id":"globex"}]`,
		})
		w.sim.ResetCalls()
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("getLinkedAccount", 1))
		w.ready(acme)
		Expect(acme.Status.ID).To(Equal(id))
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginCreated))
	})

	DescribeTable("is repaired where it drifted, and only there", func(replace bool) {
		w := newWorld(func(o *simulator.Options) { o.Replace = replace })
		w.connected()
		acme := w.account("acme", named("Acme Inc"), yourApp(`{"tier":"gold","seats":25}`))
		w.create(acme)
		w.ready(acme)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{
				ID: "acme", Name: "Someone else", YourApp: map[string]any{"tier": "tin", "seats": 25, "theirs": true},
			})
			return err
		})
		w.pass(acme, syncInterval)
		Eventually(func() string { return w.remote("acme").Name }).Should(Equal("Acme Inc"))
		Expect(w.remote("acme").YourApp).To(HaveKeyWithValue("tier", "gold"))
		Expect(w.remote("acme").YourApp).To(HaveKeyWithValue("theirs", true), "what spec does not list is nobody's business")
		Eventually(func() []string { return w.events(acme) }).Should(
			ContainElement("Normal Updated corrected in Cobalt: name, yourApp.tier"))
		w.ready(acme)
		Expect(acme.Status.Drift).To(BeEmpty())

		By("no longer listing a key: it is cleared, once")
		w.sim.ResetCalls()
		w.change(acme, func() { acme.Spec.YourApp.Raw = []byte(`{"seats":25}`) })
		w.ready(acme)
		Expect(w.remote("acme").YourApp).NotTo(HaveKey("tier"))
		Expect(w.remote("acme").YourApp).To(HaveKey("theirs"))
		Expect(w.sim.Calls()).To(HaveKeyWithValue("upsertLinkedAccount", 1))
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("upsertLinkedAccount", 1))
	},
		Entry("when the API merges your_app", false),
		Entry("when the API replaces your_app", true),
	)

	It("is recognised when its status was wiped", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", named("Acme Inc"), yourApp(`{"tier":"gold"}`))
		w.create(acme)
		w.ready(acme)
		id := acme.Status.ID
		w.sim.ResetCalls()
		acme.Status = v1alpha1.LinkedAccountStatus{}
		Expect(w.Status().Update(w.ctx, acme)).To(Succeed())
		w.request(acme, "after the wipe")
		w.ready(acme)
		Expect(acme.Status.ID).To(Equal(id))
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginCreated))
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getLinkedAccount": 1}))
	})

	It("that was made by hand is adopted, and kept when its object goes", func() {
		w := newWorld()
		w.connected()
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme", Name: "By hand"})
			return err
		})
		acme := w.account("acme", named("Acme Inc"))
		w.create(acme)
		w.ready(acme)
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginAdopted))
		Eventually(func() []string { return w.events(acme) }).Should(ContainElement("Normal Adopted found in Cobalt and adopted"))
		w.sim.ResetCalls()
		w.remove(acme)
		w.gone(acme)
		Expect(w.sim.Calls()).To(BeEmpty())
		Expect(w.remote("acme")).NotTo(BeNil())

		By("deleting it needs an explicit Delete")
		again := w.account("acme", func(obj *v1alpha1.LinkedAccount) { obj.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete })
		w.create(again)
		w.ready(again)
		w.remove(again)
		w.gone(again)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("keeps what it created when annotations and status tell different halves", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		w.change(acme, func() { acme.Annotations = nil }) // as kubectl replace does
		w.request(acme, "now")
		Expect(acme.Annotations).To(HaveKeyWithValue("cobalt.gocobalt.io/origin", w.namespace+"/acme:created"))
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("is only read under ReadOnly", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", named("Acme Inc"), yourApp(`{"tier":"gold"}`), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
		})
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRemoteNotFound)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme", Name: "By hand"})
			return err
		})
		w.request(acme, "now")
		w.settled(acme, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		Expect(acme.Status.Drift).To(Equal([]v1alpha1.Drift{
			{Path: "name", Desired: `"Acme Inc"`, Observed: `"By hand"`},
			{Path: "yourApp.tier", Desired: `"gold"`},
		}))
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))

		By("vanishing: nothing of it stays in the status")
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(acme, "again")
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRemoteNotFound)
		Expect(acme.Status.ID).To(BeEmpty())
		Expect(acme.Status.Drift).To(BeEmpty())
		w.remove(acme)
		w.gone(acme)
		Expect(w.sim.Calls()).NotTo(HaveKey("deleteLinkedAccount"), "a person's call came before the count")
	})

	It("is not called for while suspended, and can be deleted then", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		w.sim.ResetCalls()
		w.change(acme, func() { acme.Spec.Suspend, acme.Spec.Name = true, "Not yet" })
		Eventually(func() bool {
			_, planned := w.delay(acme)
			return planned
		}).Should(BeFalse())
		Expect(w.sim.Calls()).To(BeEmpty())
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("takes parts of yourApp from Secrets and ConfigMaps without showing them", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", yourApp(`{"tier":"gold","token":"none"}`), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{
				{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "acme-app", Key: "app.json"}},
			}
		})
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		Expect(w.sim.Calls()).NotTo(HaveKey("getLinkedAccount"), "nothing is paid while an input is missing")

		By("holding something else than a JSON object")
		secret := w.secret("acme-app", map[string]string{"app.json": "hunter2-is-not-json"})
		w.create(secret)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonInvalidInput)
		Expect(message).To(Equal("Secret " + w.namespace + "/acme-app, key app.json does not hold a JSON object"))

		By("holding one")
		w.change(secret, func() { secret.StringData = map[string]string{"app.json": `{"token":"hunter2-secret"}`} })
		w.ready(acme)
		Expect(w.remote("acme").YourApp).To(HaveKeyWithValue("token", "hunter2-secret"))

		By("drifting while correcting fails: the paths are told, not the value")
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme", YourApp: map[string]any{"token": "hunter2-other"}})
			return err
		})
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 400, Times: 1})
		w.request(acme, "now")
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(acme.Status.Drift).To(Equal([]v1alpha1.Drift{{Path: "yourApp.token", Desired: "[redacted]", Observed: "[redacted]"}}))
		for _, text := range append(w.events(acme), message) {
			Expect(text).NotTo(ContainSubstring("hunter2"))
		}

		By("changing the Secret while the operator is down: it costs no call for others")
		other := w.account("other")
		w.create(other)
		w.ready(other)
		w.stop()
		w.sim.ResetCalls()
		w.change(secret, func() { secret.StringData = map[string]string{"app.json": `{"token":"hunter2-rotated"}`} })
		w.start()
		Eventually(func() any { return w.remote("acme").YourApp["token"] }).Should(Equal("hunter2-rotated"))
		w.ready(acme)
		Eventually(func() int { return w.passes(other) }).Should(BeNumerically(">", 0))
		Expect(w.sim.Calls()).To(Equal(map[string]int{"listApplications": 1, "getLinkedAccount": 1, "upsertLinkedAccount": 1}))

		By("no longer taking it from there: what a Secret held stays unseen")
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 400, Times: 1})
		w.change(acme, func() { acme.Spec.YourAppFrom, acme.Spec.YourApp.Raw = nil, []byte(`{"tier":"gold"}`) })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(acme.Status.Drift).To(Equal([]v1alpha1.Drift{{Path: "yourApp.token", Desired: "[redacted]", Observed: "[redacted]"}}))
	})

	DescribeTable("that was refused and made by hand later is not taken for its own", func(look bool) {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 400, Times: 1})
		acme := w.account("acme")
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		if look {
			w.request(acme, "now")
			w.ready(acme)
			Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginAdopted))
		}
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).NotTo(BeNil())
	},
		Entry("once it has seen that", true),
		Entry("when it is deleted before it has seen that", false),
	)

	It("tells who must act when Cobalt refuses it, and does not insist", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 400})
		acme := w.account("acme")
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(HavePrefix("Cobalt refused: upsertLinkedAccount: 400"))
		Eventually(func() []string { return w.events(acme) }).Should(ContainElement(HavePrefix("Warning Rejected Cobalt refused")))
		w.sim.ResetCalls()
		version := acme.ResourceVersion
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("upsertLinkedAccount", 1))
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version), "the same refusal is not written twice")
		w.sim.ClearFaults()
		w.change(acme, func() { acme.Spec.Name = "Corrected" })
		w.ready(acme)
	})

	It("shortens nothing that it should not say at all: a refusal that quotes a Secret", func() {
		w := newWorld()
		w.connected()
		w.create(w.secret("acme-app", map[string]string{"app.json": `{"token":"hunter2-quoted"}`}))
		w.sim.Inject(simulator.Fault{
			Operation: "upsertLinkedAccount", Status: 400, ContentType: "application/json",
			Body: `{"error_code":"VALIDATION_ERROR","message":"token hunter2-quoted is too short"}`,
		})
		acme := w.account("acme", func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "acme-app", Key: "app.json"}}}
		})
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(ContainSubstring("is too short"))
		Expect(message).NotTo(ContainSubstring("hunter2-quoted"))
	})

	It("costs one write when Cobalt changes a value, and says so", func() {
		w := newWorld()
		w.connected()
		kept := simulator.Fault{ContentType: "application/json", Body: `{"_id":"a1","linked_account_id":"acme","name":"ACME"}`}
		for _, operation := range []string{"getLinkedAccount", "upsertLinkedAccount"} {
			kept.Operation = operation
			w.sim.Inject(kept)
		}
		acme := w.account("acme", named("Acme"))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotConverging)
		Expect(message).To(HavePrefix("Cobalt does not keep what spec asks for in name:"))
		Expect(acme.Status.Drift).To(Equal([]v1alpha1.Drift{{Path: "name", Desired: `"Acme"`, Observed: `"ACME"`}}))
		Expect(acme.Status.ID).To(Equal("a1"))
		version := acme.ResourceVersion
		for range 3 {
			w.pass(acme, syncInterval)
		}
		w.restart()
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("upsertLinkedAccount", 1))
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version))

		By("requesting a sync: it is tried again")
		w.request(acme, "now")
		Expect(w.sim.Calls()).To(HaveKeyWithValue("upsertLinkedAccount", 2))
		w.sim.ClearFaults()
		w.change(acme, func() { acme.Spec.Name = "ACME" })
		w.ready(acme)
		Expect(acme.Status.Drift).To(BeEmpty())
	})

	It("is Stalled when it has failed for longer than the progress deadline", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "getLinkedAccount", Body: "<html>login</html>"})
		acme := w.account("acme", func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{{ConfigMapKeyRef: &v1alpha1.ConfigMapKeyReference{Name: "missing", Key: "k"}}}
		})
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonConfigMapNotFound)
		w.pass(acme, 15*time.Minute)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonProgressDeadlineExceeded)
		Expect(message).To(Equal("no progress within 15m0s: ConfigMap " + w.namespace + "/missing does not exist: create it, or correct the reference"))
		w.change(acme, func() { acme.Spec.YourAppFrom, acme.Spec.Name = nil, "Acme" })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		w.sim.ClearFaults()
		w.pass(acme, 5*time.Minute)
		w.ready(acme)
	})

	It("stays Ready through a failed look in the background, for five minutes", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		version := acme.ResourceVersion
		w.sim.Inject(simulator.Fault{Operation: "listLinkedAccounts", Status: 500})
		w.pass(acme, syncInterval)
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version))
		w.pass(acme, 5*time.Minute)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		w.sim.ClearFaults()
		w.pass(acme, 5*time.Minute)
		w.ready(acme)
	})

	DescribeTable("survives what the API does at times", func(fault simulator.Fault, wantCreates int) {
		w := newWorld()
		w.connected()
		fault.Operation, fault.Times = "upsertLinkedAccount", 1
		w.sim.Inject(fault)
		acme := w.account("acme", named("Acme Inc"))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).NotTo(ContainSubstring("127.0.0.1"))
		w.pass(acme, time.Second)
		w.ready(acme)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("upsertLinkedAccount", wantCreates))
		Expect(w.sim.State("test").Accounts).To(HaveLen(1))
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginCreated), "what a lost answer created is ours")
	},
		Entry("hang-up before the work", simulator.Fault{HangUp: simulator.HangUpBefore}, 2),
		Entry("hang-up after the work", simulator.Fault{HangUp: simulator.HangUpAfter}, 1),
		Entry("an HTML page", simulator.Fault{Body: "<html>maintenance</html>"}, 2),
		Entry("an HTML page after the work", simulator.Fault{Body: "<html>oops</html>", WorkDone: true}, 1),
		Entry("a truncated answer", simulator.Fault{Truncate: true}, 1),
		Entry("a huge answer", simulator.Fault{ContentType: "application/json", Body: `{"_id":"` + strings.Repeat("a", 9<<20) + `"}`}, 2),
		Entry("a 500", simulator.Fault{Status: 500}, 2),
		Entry("a 503", simulator.Fault{Status: 503}, 2),
	)

	It("waits as long as Retry-After says", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 429, RetryAfter: "120", Times: 1})
		acme := w.account("acme")
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonThrottled)
		w.sim.ResetCalls()
		Eventually(func() time.Duration {
			delay, _ := w.delay(acme)
			return delay
		}).Should(Equal(120 * time.Second))
		w.pass(acme, 120*time.Second)
		w.ready(acme)
	})

	It("does not ask whether an account is there whose creation was refused for coming too early", func() {
		w := newWorld()
		w.connected()
		for i := range 4 { // for the last of them, a list is cheaper than to ask for it alone
			other := w.account(fmt.Sprintf("other-%d", i))
			w.create(other)
			w.ready(other)
		}
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 429, RetryAfter: "10", Times: 1})
		acme := w.account("acme")
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonThrottled)
		w.sim.ResetCalls()
		w.pass(acme, 10*time.Second)
		w.ready(acme)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"upsertLinkedAccount": 1}))
	})
})
