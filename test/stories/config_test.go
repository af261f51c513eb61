package stories

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// withAccount is a world with an account that is Ready.
func withAccount(options ...func(*simulator.Options)) (*world, *v1alpha1.LinkedAccount) {
	GinkgoHelper()
	w := newWorld(options...)
	w.connected()
	acme := w.account("acme")
	w.create(acme)
	w.ready(acme)
	w.sim.ResetCalls()
	return w, acme
}

func replacing(replace bool) func(*simulator.Options) {
	return func(o *simulator.Options) { o.Replace = replace }
}

// younger creates a config of acme that is younger than another, also where both
// were created within one second.
func younger(w *world, than *v1alpha1.IntegrationConfig, options ...func(*v1alpha1.IntegrationConfig)) *v1alpha1.IntegrationConfig {
	GinkgoHelper()
	var config *v1alpha1.IntegrationConfig
	Eventually(func() bool {
		config = w.config("younger", of("acme"), options...)
		config.Spec.Suspend = true // until it is clear which of them is
		w.create(config)
		if than.CreationTimestamp.Before(&config.CreationTimestamp) || than.UID < config.UID {
			return true
		}
		w.remove(config)
		w.gone(config)
		return false
	}).Should(BeTrue())
	w.change(config, func() { config.Spec.Suspend = false })
	return config
}

// setField sets a field of acme's config as a customer would.
func setField(w *world, id, value string) {
	GinkgoHelper()
	w.byHand(func(api *cobalt.Client) error {
		return api.UpdateConfigField(w.ctx, "acme", w.remoteConfig("acme").ConfigID, id, value)
	})
}

var _ = Describe("An integration config", func() {
	It("is created, and then left alone", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("owner_email", `"sales@acme.example"`))
		before := w.writes("integrationconfigs")
		w.create(config)
		w.ready(config)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"upsertConfig": 1, "updateFieldValueById": 1}))
		after := w.writes("integrationconfigs")
		Expect(after - before).To(Equal(2))
		remote := w.remoteConfig("acme")
		Expect(remote.Fields).To(HaveKeyWithValue("owner_email", "sales@acme.example"))
		Expect(remote.Fields).To(HaveKeyWithValue("deal_stage", "appointmentscheduled"), "what spec does not list stays")
		Expect(config.Status.ID).To(Equal(remote.ConfigID))
		Expect(config.Status.LinkedAccountID).To(Equal("acme"))
		Expect(config.Status.Fields).To(Equal([]string{"owner_email"}))
		Expect(config.Annotations).To(HaveKeyWithValue("cobalt.gocobalt.io/account", w.namespace+"/acme:acme"))

		By("looking again: one list, no write")
		w.sim.ResetCalls()
		version := config.ResourceVersion
		w.pass(config, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listInstalledConfigs", 1))
		Expect(w.sim.Calls()).NotTo(HaveKey(Or(HavePrefix("update"), HavePrefix("upsert"), Equal("getConfigById"))))
		w.read(config)
		Expect(config.ResourceVersion).To(Equal(version))
	})

	DescribeTable("owns the fields that it lists, and no others", func(replace bool) {
		w, _ := withAccount(replacing(replace))
		config := w.config("acme", of("acme"), field("owner_email", `"a@acme.example"`), field("sync_interval_minutes", `30`),
			field("field_mapping", `{"email":["work","home"],"name":{"first":"given"}}`), workflow("sync-deals", true))
		w.create(config)
		w.ready(config)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"upsertConfig": 1, "updateConfig": 1}))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("field_mapping", HaveKey("email")))
		Expect(w.remoteConfig("acme").Workflows).To(ConsistOf(
			simulator.WorkflowSwitch{ID: "sync-deals", Enabled: true}, simulator.WorkflowSwitch{ID: "sync-contacts"}))

		By("a customer setting another field")
		setField(w, "deal_stage", "closedwon")
		w.pass(config, syncInterval)
		Expect(w.sim.Calls()).NotTo(HaveKey("updateConfig"))

		By("changing a value, when a list has not seen what the customer did")
		setField(w, "deal_stage", "closedlost")
		w.change(config, func() { config.Spec.Fields[1].Value = &runtime.RawExtension{Raw: []byte(`45`)} })
		w.ready(config)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getConfigById": 1, "updateConfig": 1}))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("deal_stage", "closedlost"))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("sync_interval_minutes", BeNumerically("==", 45)))

		By("adding a text, and removing another field: exactly that is deleted, once")
		w.sim.ResetCalls()
		w.change(config, func() {
			config.Spec.Fields = append(config.Spec.Fields[1:], v1alpha1.ConfigField{ID: "deal_stage", Value: &runtime.RawExtension{Raw: []byte(`"won"`)}})
		})
		w.ready(config)
		Expect(w.remoteConfig("acme").Fields).NotTo(HaveKey("owner_email"))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("deal_stage", "won"))
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getConfigById": 1, "deleteFieldValueById": 1, "updateFieldValueById": 1}))
		Expect(config.Status.Fields).To(ConsistOf("deal_stage", "field_mapping", "sync_interval_minutes"))
		setField(w, "owner_email", "customer@acme.example")
		w.request(config, "now")
		Expect(w.sim.Calls()).NotTo(HaveKey("deleteFieldValueById"))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("owner_email", "customer@acme.example"), "it is the customer's now")

		By("removing a field that has a default: it is taken back to that")
		w.sim.ResetCalls()
		w.change(config, func() { config.Spec.Fields = config.Spec.Fields[:2] })
		w.ready(config)
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("deal_stage", "appointmentscheduled"))
		w.pass(config, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("deleteFieldValueById", 1))

		By("no longer listing the switch: it stays as it is")
		w.change(config, func() { config.Spec.Workflows = nil })
		w.ready(config)
		Expect(w.remoteConfig("acme").Workflows).To(ContainElement(simulator.WorkflowSwitch{ID: "sync-deals", Enabled: true}))
	},
		Entry("when the API merges", false),
		Entry("when the API replaces", true),
	)

	DescribeTable("is repaired where it drifted, and only there", func(replace bool) {
		w, _ := withAccount(replacing(replace))
		config := w.config("acme", of("acme"), field("owner_email", `"a@acme.example"`), workflow("sync-deals", true))
		w.create(config)
		w.ready(config)

		By("a customer changing a text")
		setField(w, "owner_email", "mallory@acme.example")
		setField(w, "deal_stage", "closedwon")
		w.pass(config, syncInterval)
		Eventually(func() any { return w.remoteConfig("acme").Fields["owner_email"] }).Should(Equal("a@acme.example"))
		Expect(w.sim.Calls()).To(HaveKeyWithValue("updateFieldValueById", 1))
		Eventually(func() []string { return w.events(config) }).Should(ContainElement("Normal Updated corrected in Cobalt: fields.owner_email"))

		By("toggling a workflow in Cobalt, and again")
		for range 2 {
			w.byHand(func(api *cobalt.Client) error {
				remote := w.remoteConfig("acme")
				_, err := api.UpdateConfig(w.ctx, "acme", remote.ConfigID, cobalt.ConfigUpdate{
					Workflows: []cobalt.ConfigWorkflow{{ID: "sync-deals"}, {ID: "sync-contacts", Enabled: true}},
				})
				return err
			})
			w.pass(config, syncInterval)
			Eventually(func() []simulator.WorkflowSwitch { return w.remoteConfig("acme").Workflows }).Should(ConsistOf(
				simulator.WorkflowSwitch{ID: "sync-deals", Enabled: true}, simulator.WorkflowSwitch{ID: "sync-contacts", Enabled: true}))
			w.ready(config)
			Expect(config.Status.Drift).To(BeEmpty())
		}
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("deal_stage", "closedwon"))
	},
		Entry("when the API merges", false),
		Entry("when the API replaces", true),
	)

	DescribeTable("unsets a field although one 404 to that is false", func(fault simulator.Fault, deletions int) {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("owner_email", `"a@acme.example"`))
		w.create(config)
		w.ready(config)
		fault.Operation, fault.Status, fault.Times = "deleteFieldValueById", 404, 1
		w.sim.Inject(fault)
		w.change(config, func() { config.Spec.Fields = nil })
		Eventually(func() any {
			w.time.Advance(time.Second)
			return w.remoteConfig("acme").Fields
		}).ShouldNot(HaveKey("owner_email"))
		w.ready(config)
		Expect(config.Status.Fields).To(BeEmpty())
		Expect(w.sim.Calls()).To(HaveKeyWithValue("deleteFieldValueById", deletions))
	},
		Entry("a text", simulator.Fault{ContentType: "text/plain", Body: "404 page not found"}, 2),
		Entry("a gateway's JSON", simulator.Fault{ContentType: "application/json", Body: `{"message":"no Route matched with those values"}`}, 2),
		Entry("the API's own form", simulator.Fault{ContentType: "application/json", Body: `{"error_code":"RESOURCE_NOT_FOUND","message":"not found"}`}, 2),
	)

	It("unsets a field once though another is refused", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("owner_email", `"a@acme.example"`), field("sync_interval_minutes", `30`))
		w.create(config)
		w.ready(config)
		w.sim.Inject(simulator.Fault{Operation: "updateConfig", Status: 400})
		w.change(config, func() {
			config.Spec.Fields = config.Spec.Fields[1:]
			config.Spec.Fields[0].Value = &runtime.RawExtension{Raw: []byte(`45`)}
		})
		w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(config.Status.Fields).To(Equal([]string{"sync_interval_minutes"}))
		Expect(w.remoteConfig("acme").Fields).NotTo(HaveKey("owner_email"))
		setField(w, "owner_email", "customer@acme.example")
		w.pass(config, syncInterval)
		w.sim.ClearFaults()
		w.request(config, "now")
		w.ready(config)
		Expect(w.sim.Calls()).NotTo(HaveKey("deleteFieldValueById"))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("owner_email", "customer@acme.example"), "it is the customer's now")
	})

	It("is Stalled by a field that Cobalt does not know, whenever it comes", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("owner_email", `"a@acme.example"`))
		w.create(config)
		w.ready(config)
		w.change(config, func() { field("no_such_field", `"x"`)(config) })
		Expect(w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonRejected)).To(ContainSubstring(`no field "no_such_field"`))
		Expect(stalledNow(config)).To(BeTrue())
		w.change(config, func() { config.Spec.Fields = config.Spec.Fields[:1] })
		w.ready(config)
	})

	It("has two texts written one by one, and three at once", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("owner_email", `"1"`), field("deal_stage", `"1"`), field("field_mapping", `"1"`))
		w.create(config)
		w.ready(config)
		w.sim.ResetCalls()
		change := func(fields int, value string) {
			GinkgoHelper()
			w.change(config, func() {
				for i := range fields {
					config.Spec.Fields[i].Value.Raw = []byte(value)
				}
			})
			w.ready(config)
		}
		change(2, `"two"`)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getConfigById": 1, "updateFieldValueById": 2}))
		w.sim.ResetCalls()
		change(3, `"three"`)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getConfigById": 1, "updateConfig": 1}))
		Expect(w.remoteConfig("acme").Fields).To(And(
			HaveKeyWithValue("owner_email", "three"), HaveKeyWithValue("deal_stage", "three"), HaveKeyWithValue("field_mapping", "three")))
	})

	DescribeTable("is not written as a list says it is", func(replace bool) {
		w, _ := withAccount(replacing(replace))
		config := w.config("acme", of("acme"), workflow("sync-deals", true))
		w.create(config)
		w.ready(config)
		w.byHand(func(api *cobalt.Client) error {
			switches := []cobalt.ConfigWorkflow{{ID: "sync-deals"}, {ID: "sync-contacts"}}
			_, err := api.UpdateConfig(w.ctx, "acme", config.Status.ID, cobalt.ConfigUpdate{Workflows: switches})
			return err
		})
		list, err := json.Marshal([]*simulator.Config{w.remoteConfig("acme")})
		Expect(err).NotTo(HaveOccurred())
		setField(w, "deal_stage", "closedwon") // after the list that a look in the background goes by
		w.sim.Inject(simulator.Fault{Operation: "listInstalledConfigs", Times: 1, ContentType: "application/json", Body: string(list)})
		w.pass(config, syncInterval)
		Expect(w.sim.Calls()).To(And(HaveKeyWithValue("listInstalledConfigs", 1), HaveKeyWithValue("updateConfig", 1)))
		Expect(w.remoteConfig("acme").Workflows).To(ContainElement(simulator.WorkflowSwitch{ID: "sync-deals", Enabled: true}))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("deal_stage", "closedwon"))
	},
		Entry("when the API merges", false),
		Entry("when the API replaces", true),
	)

	It("takes values from Secrets and ConfigMaps, and shows them nowhere", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), fieldFrom("owner_email", "crm", "owner"))
		w.create(config)
		w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		Expect(w.sim.Calls()).To(BeEmpty(), "nothing is paid while an input is missing")
		secret := w.secret("crm", map[string]string{"owner": "hunter2-first"})
		w.create(secret)
		w.ready(config)
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("owner_email", "hunter2-first"))

		By("rotating it")
		w.change(secret, func() { secret.StringData = map[string]string{"owner": "hunter2-second"} })
		Eventually(func() any { return w.remoteConfig("acme").Fields["owner_email"] }).Should(Equal("hunter2-second"))
		w.ready(config)

		By("drifting while correcting fails")
		setField(w, "owner_email", "hunter2-other")
		w.sim.Inject(simulator.Fault{
			Operation: "updateFieldValueById", Status: 400, Times: 1, ContentType: "application/json",
			Body: `{"error_code":"VALIDATION_ERROR","message":"hunter2-second is no address"}`,
		})
		w.pass(config, syncInterval)
		message := w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(ContainSubstring("is no address"))
		Expect(config.Status.Drift).To(Equal([]v1alpha1.Drift{{Path: "fields.owner_email", Desired: "[redacted]", Observed: "[redacted]"}}))
		text, err := json.Marshal(config)
		Expect(err).NotTo(HaveOccurred())
		for _, text := range append(w.events(config), string(text)) {
			Expect(text).NotTo(ContainSubstring("hunter2"))
		}

		By("no longer taking it from there: what was hidden stays unseen")
		w.change(config, func() {
			config.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
			config.Spec.Fields[0].ValueFrom, config.Spec.Fields[0].Value = nil, &runtime.RawExtension{Raw: []byte(`"plain"`)}
		})
		w.settled(config, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		Expect(config.Status.Drift).To(Equal([]v1alpha1.Drift{{Path: "fields.owner_email", Desired: "[redacted]", Observed: "[redacted]"}}))
	})

	DescribeTable("shows nowhere what came from elsewhere, whatever becomes of it", func(
		source v1alpha1.ValueSource, input func(w *world) client.Object,
	) {
		w, _ := withAccount()
		w.create(input(w))
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.UpsertConfig(w.ctx, "acme", "hubspot", "")
			return err
		})
		setField(w, "owner_email", "hunter2-remote")
		config := w.config("acme", of("acme"), func(obj *v1alpha1.IntegrationConfig) {
			obj.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
			obj.Spec.Fields = []v1alpha1.ConfigField{{ID: "owner_email", ValueFrom: &source}}
		})
		hidden := func(path string) {
			GinkgoHelper()
			Expect(config.Status.Drift).To(Equal([]v1alpha1.Drift{{Path: path, Desired: "[redacted]", Observed: "[redacted]"}}))
			text, err := json.Marshal(config)
			Expect(err).NotTo(HaveOccurred())
			Expect(append(w.events(config), string(text))).NotTo(ContainElement(ContainSubstring("hunter2")))
		}
		w.create(config)
		w.settled(config, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		hidden("fields.owner_email")

		By("giving the value in spec: what Cobalt has may still come from there")
		w.change(config, func() {
			config.Spec.Fields[0].ValueFrom, config.Spec.Fields[0].Value = nil, &runtime.RawExtension{Raw: []byte(`"plain"`)}
		})
		w.settled(config, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		hidden("fields.owner_email")

		By("managing another field, when Cobalt refuses that")
		w.sim.Inject(simulator.Fault{
			Operation: "updateFieldValueById", Status: 400, ContentType: "application/json",
			Body: `{"error_code":"VALIDATION_ERROR","message":"hunter2-input is no stage"}`,
		})
		w.change(config, func() {
			config.Spec.ManagementPolicy = v1alpha1.ManagementPolicyManage
			config.Spec.Fields = []v1alpha1.ConfigField{{ID: "deal_stage", ValueFrom: &source}}
		})
		w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		hidden("fields.deal_stage")
	},
		Entry("from a Secret",
			v1alpha1.ValueSource{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "crm", Key: "owner"}},
			func(w *world) client.Object { return w.secret("crm", map[string]string{"owner": "hunter2-input"}) }),
		Entry("from a ConfigMap",
			v1alpha1.ValueSource{ConfigMapKeyRef: &v1alpha1.ConfigMapKeyReference{Name: "crm", Key: "owner"}},
			func(w *world) client.Object {
				return &corev1.ConfigMap{
					ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "crm"}, Data: map[string]string{"owner": "hunter2-input"},
				}
			}),
	)

	It("compares values by meaning", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("sync_interval_minutes", `"15"`), field("field_mapping", `{"b":1,"a":[true]}`))
		w.create(config)
		w.ready(config)
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("sync_interval_minutes", BeNumerically("==", 15)), "15 is as good as \"15\"")
		w.sim.ResetCalls()
		w.change(config, func() { config.Spec.Fields[1].Value.Raw = []byte(`{"a":[true],"b":1.0}`) })
		w.ready(config)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getConfigById": 1}))
	})

	It("is not Synced while Cobalt does not keep what was sent, and costs no second write then", func() {
		w, _ := withAccount()
		config := w.config("acme", of("acme"), field("sync_interval_minutes", `30`), field("owner_email", `"a@acme.example"`))
		w.sim.Inject(simulator.Fault{
			Operation: "updateConfig", ContentType: "application/json",
			Body: `{"_id":"c1","config_id":"acme","slug":"hubspot","fields":{"sync_interval_minutes":60},"workflows":[]}`,
		})
		w.create(config)
		message := w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonNotConverging)
		Expect(message).To(HavePrefix("Cobalt does not keep what spec asks for in fields.owner_email, fields.sync_interval_minutes:"))
		Expect(config.Status.Drift).To(Equal([]v1alpha1.Drift{
			{Path: "fields.owner_email", Desired: `"a@acme.example"`}, {Path: "fields.sync_interval_minutes", Desired: "30", Observed: "60"},
		}))
		w.sim.ClearFaults()
		w.change(config, func() { config.Spec.Fields = config.Spec.Fields[1:] })
		w.ready(config)

		By("a text that Cobalt says it took, and did not: the answer tells nothing, the next look does")
		w.sim.Inject(simulator.Fault{Operation: "updateFieldValueById", ContentType: "application/json", Body: `{}`})
		w.change(config, func() { config.Spec.Fields[0].Value.Raw = []byte(`"b@acme.example"`) })
		Eventually(func() int { return w.sim.Calls()["updateFieldValueById"] }).Should(BeNumerically(">", 1))
		w.ready(config)
		w.sim.ResetCalls()
		w.pass(config, syncInterval)
		message = w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonNotConverging)
		Expect(message).To(HavePrefix("Cobalt does not keep what spec asks for in fields.owner_email:"))
		w.pass(config, syncInterval)
		Expect(w.sim.Calls()).NotTo(HaveKey("updateFieldValueById"))
		w.sim.ClearFaults()
		w.request(config, "now")
		w.ready(config)
	})

	It("that Cobalt did not keep is corrected when Cobalt has something else, though neither is shown", func() {
		w, _ := withAccount()
		w.create(w.secret("crm", map[string]string{"owner": "hunter2"}))
		config := w.config("acme", of("acme"), fieldFrom("owner_email", "crm", "owner"))
		w.create(config)
		w.ready(config)
		setField(w, "owner_email", "one")
		w.sim.Inject(simulator.Fault{Operation: "updateFieldValueById", ContentType: "application/json", Body: `{}`})
		w.pass(config, syncInterval)
		w.pass(config, syncInterval)
		w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonNotConverging)
		drift := config.Status.Drift
		w.sim.ClearFaults()
		w.pass(config, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("updateFieldValueById", 1), "writing the same again would change nothing")
		setField(w, "owner_email", "another")
		w.pass(config, syncInterval)
		w.ready(config)
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("owner_email", "hunter2"))
		Expect(drift).To(Equal([]v1alpha1.Drift{{Path: "fields.owner_email", Desired: "[redacted]", Observed: "[redacted]"}}))
	})

	It("says which application there is none of, and goes on when it is enabled", func() {
		w, _ := withAccount()
		typo := w.config("typo", of("acme"), func(obj *v1alpha1.IntegrationConfig) { obj.Spec.Application = "hubspott" })
		w.create(typo)
		message := w.settled(typo, metav1.ConditionFalse, v1alpha1.ReasonApplicationNotFound)
		Expect(message).To(HavePrefix(`Cobalt offers no application "hubspott": enable it there`))
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertConfig"))

		w.sim.EnableApplication("hubspot", false)
		config := w.config("acme", of("acme"))
		w.time.Advance(2 * time.Minute)
		w.create(config)
		w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonApplicationNotFound)
		w.sim.EnableApplication("hubspot", true)
		w.time.Advance(2 * time.Minute)
		w.request(config, "now")
		w.ready(config)

		By("disabling it under a config that is there")
		w.sim.EnableApplication("hubspot", false)
		w.pass(config, syncInterval)
		w.ready(config)
		w.change(config, func() { workflow("sync-deals", true)(config) })
		w.settled(config, metav1.ConditionFalse, v1alpha1.ReasonApplicationNotFound)
		w.remove(typo, config)
		w.gone(typo)
		w.gone(config)
		Expect(w.remoteConfig("acme")).To(BeNil())
	})

	It("of a chosen id and one that leaves the choice to Cobalt may be the same", func() {
		w, _ := withAccount()
		first := w.config("first", of("acme"))
		w.create(first)
		w.ready(first)
		w.time.Advance(time.Hour)
		second := w.config("second", ofID("acme"), func(obj *v1alpha1.IntegrationConfig) { obj.Spec.ConfigID = first.Status.ID })
		w.create(second)
		Eventually(func(g Gomega) {
			w.read(first)
			w.read(second)
			g.Expect(reasons(first, second)).To(ConsistOf(v1alpha1.ReasonSynced, v1alpha1.ReasonConflict))
		}).Should(Succeed())
		w.remove(first)
		w.gone(first)
		w.ready(second)
		Expect(w.remoteConfig("acme")).NotTo(BeNil())
		w.remove(second)
		w.gone(second)
		Expect(w.remoteConfig("acme")).To(BeNil())
	})

	It("that Cobalt chooses is left alone when it is another object's: what it was to hold, and when it goes", func() {
		w, _ := withAccount()
		chosen := func(obj *v1alpha1.IntegrationConfig) { obj.Spec.ConfigID = "acme" } // as Cobalt would choose
		first := w.config("first", of("acme"), chosen, field("owner_email", `"first@acme.example"`))
		w.create(first)
		w.ready(first)
		w.request(first, "now") // by then the operator has seen what it has reported
		w.sim.ResetCalls()
		second := younger(w, first, field("owner_email", `"second@acme.example"`))
		message := w.settled(second, metav1.ConditionFalse, v1alpha1.ReasonConflict)
		Expect(message).To(HavePrefix(w.namespace + "/first is older"))
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("owner_email", "first@acme.example"))
		Expect(w.sim.Calls()).To(Equal(map[string]int{"upsertConfig": 1}))

		By("going, as one that was told of its choice and one that was not")
		w.sim.Inject(simulator.Fault{Operation: "upsertConfig", Status: 500})
		w.remove(second)
		w.gone(second)
		Expect(w.remoteConfig("acme")).NotTo(BeNil())
		third := w.config("third", of("acme"))
		w.create(third)
		w.settled(third, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		w.sim.ClearFaults()
		w.remove(third)
		w.gone(third)
		Expect(w.remoteConfig("acme")).NotTo(BeNil())
		Expect(w.remoteConfig("acme").Fields).To(HaveKeyWithValue("owner_email", "first@acme.example"))
		Expect(w.sim.Calls()).NotTo(HaveKey("deleteConfig"))
	})
})
