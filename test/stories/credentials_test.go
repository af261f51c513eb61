package stories

import (
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// migrating has an account bring along credentials of an application.
func migrating(application, secretName, key string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) {
		obj.Spec.Credentials = append(obj.Spec.Credentials, v1alpha1.ApplicationCredentials{
			Application: application, SecretRef: v1alpha1.CredentialsReference{Name: secretName, Key: key},
		})
	}
}

// migrated is what the simulator has of an application's credentials.
func (w *world) migrated(application string) map[string]any {
	for _, credential := range w.sim.State("test").Credentials {
		if credential.Application == application {
			return credential.Token
		}
	}
	return nil
}

func (w *world) wipe(obj *v1alpha1.LinkedAccount) {
	GinkgoHelper()
	w.read(obj)
	obj.Status = v1alpha1.LinkedAccountStatus{}
	Expect(w.Status().Update(w.ctx, obj)).To(Succeed())
}

var _ = Describe("Credentials", func() {
	const migrate = "migrateToken"

	It("are sent once, and again when they or the account are others", func() {
		w := newWorld()
		w.connected()
		whole := w.secret("hubspot-oauth", map[string]string{"access_token": "hunter2-access", "refresh_token": "hunter2-refresh"})
		part := w.secret("slack-oauth", map[string]string{"slack.json": `{"token":"hunter2-slack","expires":3600}`})
		w.create(whole, part)
		w.sim.ResetCalls()
		acme := w.account("acme", migrating("hubspot", "hubspot-oauth", ""), migrating("slack", "slack-oauth", "slack.json"))
		before := w.writes("linkedaccounts")
		w.create(acme)
		w.ready(acme)
		after := w.writes("linkedaccounts")
		Expect(after-before).To(Equal(3), "finalizer, hashes of both, status")
		Expect(w.migrated("hubspot")).To(Equal(map[string]any{"access_token": "hunter2-access", "refresh_token": "hunter2-refresh"}))
		Expect(w.migrated("slack")).To(HaveKeyWithValue("token", "hunter2-slack"))
		Expect(w.migrated("slack")).To(HaveKeyWithValue("expires", BeNumerically("==", 3600)))
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 2))
		Expect(acme.Status.Credentials).To(HaveLen(2))
		Expect(fmt.Sprint(acme, w.events(acme))).NotTo(ContainSubstring("hunter2"))

		By("editing a label, looking again, restarting")
		w.change(acme, func() { acme.Labels = map[string]string{"tier": "gold"} })
		w.change(whole, func() { whole.Labels = map[string]string{"tier": "gold"} })
		w.request(acme, "after the label")
		w.pass(acme, syncInterval)
		w.restart()
		w.request(acme, "after the restart")
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 2))

		By("wiping the status, then the annotations")
		w.wipe(acme)
		w.request(acme, "after the wipe")
		w.ready(acme)
		Expect(acme.Status.Credentials).To(HaveLen(2))
		w.change(acme, func() { delete(acme.Annotations, "cobalt.gocobalt.io/credentials") })
		w.request(acme, "after kubectl replace")
		w.ready(acme)
		Expect(acme.Annotations).To(HaveKey("cobalt.gocobalt.io/credentials"))
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 2))
		Expect(w.events(acme)).NotTo(ContainElement(ContainSubstring("CredentialsNotResent")))

		By("changing the bytes")
		w.change(whole, func() { whole.StringData = map[string]string{"access_token": "hunter2-other"} })
		Eventually(func() any { return w.migrated("hubspot")["access_token"] }).Should(Equal("hunter2-other"))
		w.ready(acme)
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 3))

		By("making the account anew")
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(acme, "after the account was deleted")
		w.ready(acme)
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 2))
		Expect(w.migrated("hubspot")).To(HaveKeyWithValue("access_token", "hunter2-other"))

		By("no longer listing an application: it is forgotten")
		w.change(acme, func() { acme.Spec.Credentials = acme.Spec.Credentials[:1] })
		w.ready(acme)
		Expect(acme.Status.Credentials).To(HaveLen(1))
		Expect(w.migrated("slack")).NotTo(BeNil())
	})

	It("are sent once although the cache is behind", func() {
		w := newWorld()
		w.connected()
		oauth := w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2-1"})
		acme := w.account("acme", migrating("hubspot", "hubspot-oauth", ""))
		w.create(oauth, acme)
		w.ready(acme)
		w.pass(acme, syncInterval) // by which the cache has what was written
		w.lag.Lag(func() time.Duration { return 5 * time.Second }, nil)
		w.sim.ResetCalls()
		w.change(oauth, func() { oauth.StringData = map[string]string{"refresh_token": "hunter2-2"} })
		Eventually(func() any { return w.migrated("hubspot")["refresh_token"] }).Should(Equal("hunter2-2"))
		Eventually(w.time.Idle).Should(BeTrue())

		By("touching the Secret, of which the operator hears at once")
		before := w.passes(acme)
		w.change(oauth, func() { oauth.Labels = map[string]string{"touched": "once"} })
		Eventually(func() int { return w.passes(acme) }).Should(BeNumerically(">", before))
		w.lag.Lag(nil, nil)
		w.time.Advance(6 * time.Second)
		w.request(acme, "after the lag")
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 1))
	})

	It("are not sent to where somebody is connected already and nothing is remembered", func() {
		w := newWorld()
		w.connected()
		w.byHand(func(api *cobalt.Client) error {
			if _, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"}); err != nil {
				return err
			}
			return api.MigrateToken(w.ctx, "acme", "hubspot", []byte(`{"refresh_token":"theirs"}`))
		})
		secret := w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2-old"})
		w.create(secret)
		acme := w.account("acme", migrating("hubspot", "hubspot-oauth", ""))
		w.create(acme)
		w.ready(acme)
		Expect(w.sim.Calls()).NotTo(HaveKey(migrate))
		Eventually(func() []string { return w.events(acme) }).Should(ContainElement(HavePrefix("Warning CredentialsNotResent application hubspot")))
		Expect(acme.Status.Credentials).To(HaveLen(1))
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("getApplicationBySlug", 1))

		By("changing them, which asks for it")
		w.change(secret, func() { secret.StringData = map[string]string{"refresh_token": "hunter2-new"} })
		Eventually(func() any { return w.migrated("hubspot")["refresh_token"] }).Should(Equal("hunter2-new"))
	})

	// connectedByCustomer is an account with a live connection that nobody in the cluster remembers.
	connectedByCustomer := func() (*world, *v1alpha1.LinkedAccount) {
		GinkgoHelper()
		w := newWorld()
		w.connected()
		w.byHand(func(api *cobalt.Client) error {
			if _, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"}); err != nil {
				return err
			}
			return api.MigrateToken(w.ctx, "acme", "hubspot", []byte(`{"refresh_token":"theirs"}`))
		})
		w.create(w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2-old"}))
		return w, w.account("acme", migrating("hubspot", "hubspot-oauth", ""))
	}

	It("are not sent where something on the way drops the header of the account", func() {
		w, acme := connectedByCustomer()
		w.doom.changeCalls(func(r *http.Request) { r.Header.Del("Linked_account_id") })
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).To(HavePrefix("application hubspot: whether it is connected cannot be seen, so its credentials are not sent: "))
		Expect(message).To(ContainSubstring("MISSING_LINKED_ACCOUNT_ID"))
		Expect(acme.Status.Credentials).To(BeEmpty(), "nothing is remembered as sent")

		By("having the header arrive")
		w.doom.changeCalls(nil)
		w.request(acme, "now")
		w.ready(acme)
		Expect(w.sim.Calls()).NotTo(HaveKey(migrate))
		Eventually(func() []string { return w.events(acme) }).Should(ContainElement(HavePrefix("Warning CredentialsNotResent")))
	})

	DescribeTable("are not sent because of an answer that another layer could have given", func(fault simulator.Fault) {
		w, acme := connectedByCustomer()
		fault.Operation, fault.Times = "getApplicationBySlug", 1
		w.sim.Inject(fault)
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		w.pass(acme, time.Minute)
		w.ready(acme)
		Expect(w.sim.Calls()).NotTo(HaveKey(migrate))
		Expect(w.migrated("hubspot")).To(HaveKeyWithValue("refresh_token", "theirs"))
	},
		Entry("a text", simulator.Fault{Status: 404, ContentType: "text/plain", Body: "404 page not found"}),
		Entry("nothing", simulator.Fault{Status: 404, ContentType: "text/plain", Body: " "}),
		Entry("a gateway's JSON", simulator.Fault{Status: 404, ContentType: "application/json", Body: `{"message":"no Route matched with those values"}`}),
		Entry("the API's own form", simulator.Fault{Status: 404, ContentType: "application/json", Body: `{"error_code":"RESOURCE_NOT_FOUND","message":"not found"}`}),
		Entry("a good answer about something else", simulator.Fault{ContentType: "application/json", Body: `{"status":"ok"}`}),
	)

	It("are sent where the API does not say that somebody is connected, once it was seen to hear of which account", func() {
		w := newWorld()
		w.connected()
		w.create(w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2-old"}))
		w.sim.Inject(simulator.Fault{Operation: "getApplicationBySlug", ContentType: "application/json", Body: `{"slug":"hubspot","name":"HubSpot"}`})
		for _, name := range []string{"acme", "globex"} {
			account := w.account(name, migrating("hubspot", "hubspot-oauth", ""))
			w.create(account)
			w.ready(account)
		}
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, 2))
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listInstalledConfigs", 1))
	})

	DescribeTable("survive a call whose outcome is not known", func(fault simulator.Fault, wantCalls int) {
		w := newWorld()
		w.connected()
		w.create(w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2-first"}))
		fault.Operation, fault.Times = migrate, 1
		w.sim.Inject(fault)
		acme := w.account("acme", migrating("hubspot", "hubspot-oauth", ""))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).To(HavePrefix("application hubspot: migrateToken"))
		w.restart()
		w.ready(acme)
		Expect(w.sim.Calls()).To(HaveKeyWithValue(migrate, wantCalls))
		Expect(w.migrated("hubspot")).To(HaveKeyWithValue("refresh_token", "hunter2-first"))
		Expect(w.events(acme)).NotTo(ContainElement(ContainSubstring("CredentialsNotResent")))
	},
		Entry("when it did not arrive", simulator.Fault{HangUp: simulator.HangUpBefore}, 2),
		Entry("when its answer was lost", simulator.Fault{HangUp: simulator.HangUpAfter}, 1),
	)

	DescribeTable("that cannot be used are told by Secret and key, not by content", func(data map[string]string, key, want string) {
		w := newWorld()
		w.connected()
		secret := w.secret("hubspot-oauth", nil)
		secret.Data = map[string][]byte{}
		for name, value := range data {
			secret.Data[name] = []byte(value)
		}
		w.create(secret, w.secret("slack-oauth", map[string]string{"token": "hunter2-slack"}))
		acme := w.account("acme", migrating("hubspot", "hubspot-oauth", key), migrating("slack", "slack-oauth", ""))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonInvalidInput)
		Expect(message).To(Equal("Secret " + w.namespace + "/hubspot-oauth" + want))
		Expect(w.migrated("hubspot")).To(BeNil())
		Expect(w.migrated("slack")).NotTo(BeNil(), "the others need not wait")
		w.change(secret, func() { secret.Data = map[string][]byte{"creds": []byte(`{"refresh_token":"hunter2-good"}`)} })
		w.ready(acme)
		Expect(w.migrated("hubspot")).NotTo(BeNil())
	},
		Entry("no JSON", map[string]string{"creds": "hunter2"}, "creds", ", key creds does not hold a JSON object"),
		Entry("a JSON list", map[string]string{"creds": `["hunter2"]`}, "creds", ", key creds does not hold a JSON object"),
		Entry("null", map[string]string{"creds": `null`}, "creds", ", key creds does not hold a JSON object"),
		Entry("an empty object", map[string]string{"creds": `{}`}, "creds", ", key creds holds an empty JSON object: put credentials there"),
		Entry("no keys", map[string]string{}, "", " has no keys: put credentials there"),
		Entry("no text", map[string]string{"a": "b", "creds": "\xff\xfe"}, "", ", key creds does not hold text"),
	)

	It("wait for their Secret", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", migrating("hubspot", "hubspot-oauth", "creds"))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		Expect(message).To(Equal("Secret " + w.namespace + "/hubspot-oauth does not exist: create it, or correct the reference"))
		w.create(w.secret("hubspot-oauth", map[string]string{"creds": `{"a":"hunter2"}`}))
		w.ready(acme)
		Expect(w.migrated("hubspot")).NotTo(BeNil())
	})

	It("that Cobalt refuses name the application", func() {
		w := newWorld()
		w.connected()
		w.create(w.secret("oauth", map[string]string{"refresh_token": "hunter2-refresh"}))
		acme := w.account("acme", migrating("no-such-app", "oauth", ""), migrating("slack", "oauth", ""))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonApplicationNotFound)
		Expect(message).To(ContainSubstring("application no-such-app: getApplicationBySlug: 404 INVALID_APP_ID"))
		Expect(message).NotTo(ContainSubstring("hunter2"))
		Expect(w.migrated("slack")).NotTo(BeNil())
		calls := w.sim.Calls()["getApplicationBySlug"]
		w.pass(acme, syncInterval)
		Expect(w.sim.Calls()["getApplicationBySlug"]).To(Equal(calls+1), "once per sync interval")
	})
})

var _ = Describe("Applications", func() {
	It("are shown if they are connected and somebody wants to see them", func() {
		w := newWorld()
		w.connected()
		w.create(w.secret("oauth", map[string]string{"refresh_token": "hunter2-refresh"}))
		w.sim.ResetCalls()
		acme := w.account("acme", migrating("slack", "oauth", ""), migrating("hubspot", "oauth", ""), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.Observe = []v1alpha1.LinkedAccountObservation{v1alpha1.LinkedAccountObserveApplications}
		})
		w.create(acme)
		w.ready(acme)
		Expect(acme.Status.Applications).To(Equal([]v1alpha1.ConnectedApplication{
			{Slug: "hubspot", Name: "HubSpot"}, {Slug: "slack", Name: "Slack"},
		}))
		Expect(w.sim.Calls()["listApplications"]).To(Equal(1))
		version := acme.ResourceVersion
		w.pass(acme, syncInterval)
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version))
		w.change(acme, func() { acme.Spec.Observe = nil })
		w.ready(acme)
		Expect(acme.Status.Applications).To(BeEmpty())
	})
})
