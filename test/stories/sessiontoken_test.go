package stories

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// mint is the call that costs a token.
const mint = "createSessionToken"

func lasting(ttl time.Duration) func(*simulator.Options) {
	return func(o *simulator.Options) { o.TokenTTL = ttl }
}

// tokenIn has an account keep a session token in a Secret.
func tokenIn(secretName string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) {
		obj.Spec.SessionToken = &v1alpha1.SessionTokenSecret{SecretName: secretName}
	}
}

// unasked has an account looked at only when something asks for it.
func unasked(obj *v1alpha1.LinkedAccount) { obj.Spec.SyncInterval = "0s" }

func withPortal(obj *v1alpha1.LinkedAccount) { obj.Spec.SessionToken.HostedPortal = true }

// handsOut has the simulator answer with a token, whatever it is asked.
func (w *world) handsOut(token, more string) {
	w.sim.ClearFaults()
	w.sim.Inject(simulator.Fault{
		Operation: mint, ContentType: "application/json", Body: fmt.Sprintf(`{"token":%q%s}`, token, more),
	})
}

// output is the Secret of that name, or nil.
func (w *world) output(name string) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := w.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, secret)
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	if apierrors.IsNotFound(err) {
		return nil
	}
	return secret
}

// good tells whether the token in a Secret is one that the simulator accepts now.
func (w *world) good(name string) bool {
	GinkgoHelper()
	secret := w.output(name)
	for _, token := range w.sim.State("test").SessionTokens {
		if secret != nil && token.Token == string(secret.Data["token"]) {
			return w.time.Now().Before(token.ExpiresAt)
		}
	}
	return false
}

// renewed has time pass until a token is due, and waits for the next one.
func (w *world) renewed(obj *v1alpha1.LinkedAccount) time.Duration {
	GinkgoHelper()
	var delay time.Duration
	Eventually(func() (ok bool) {
		delay, ok = w.delay(obj)
		return ok
	}).Should(BeTrue(), "no renewal is planned")
	before := w.sim.Calls()[mint]
	w.time.Advance(delay)
	Eventually(func() int { return w.sim.Calls()[mint] }).Should(Equal(before + 1))
	Eventually(func() bool { _, ok := w.delay(obj); return ok }).Should(BeTrue(), "the pass does not end")
	return delay
}

var _ = Describe("A session token", func() {
	It("is written into a Secret with one call and one write, and then left alone", func() {
		w := newWorld()
		w.connected()
		w.sim.ResetCalls()
		before := w.written.Of("", "secrets")
		acme := w.account("acme", tokenIn("acme-session"), withPortal, func(obj *v1alpha1.LinkedAccount) {
			obj.Labels = map[string]string{"app.kubernetes.io/instance": "theirs"}
			obj.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "theirs"}
		})
		w.create(acme)
		w.ready(acme)
		calls := map[string]int{"getLinkedAccount": 1, "upsertLinkedAccount": 1, mint: 1, "createHostedPortalUrl": 1}
		Expect(w.sim.Calls()).To(Equal(calls))
		Expect(w.written.Of("", "secrets") - before).To(Equal(1))
		secret := w.output("acme-session")
		Expect(secret.Data).To(HaveLen(4))
		Expect(string(secret.Data["linked-account-id"])).To(Equal("acme"))
		Expect(string(secret.Data["portal-url"])).To(HavePrefix("https://"))
		Expect(string(secret.Data["expires-at"])).To(Equal(acme.Status.SessionToken.ExpiresAt.UTC().Format(time.RFC3339)))
		Expect(w.good("acme-session")).To(BeTrue())
		Expect(secret.Labels).To(Equal(map[string]string{"cobalt.gocobalt.io/linked-account": "acme"}))
		Expect(secret.Annotations).To(HaveLen(1), "what tools track the account by is not copied")
		Expect(metav1.IsControlledBy(secret, acme)).To(BeTrue())
		Expect(acme.Status.SessionToken.SecretName).To(Equal("acme-session"))
		Expect(fmt.Sprint(acme, w.events(acme))).NotTo(ContainSubstring(string(secret.Data["token"])))

		By("looking again, and restarting")
		version := acme.ResourceVersion
		w.pass(acme, syncInterval)
		w.restart()
		Eventually(func() int { return w.passes(acme) }).Should(BeNumerically(">", 0))
		Expect(w.sim.Calls()).To(HaveKeyWithValue(mint, 1))
		Expect(w.written.Of("", "secrets") - before).To(Equal(1))
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version))

		By("wiping the status: the Secret tells what is known")
		acme.Status = v1alpha1.LinkedAccountStatus{}
		Expect(w.Status().Update(w.ctx, acme)).To(Succeed())
		w.request(acme, "after the wipe")
		w.ready(acme)
		Expect(acme.Status.SessionToken).NotTo(BeNil())
		Expect(w.sim.Calls()).To(HaveKeyWithValue(mint, 1))

		By("wanting no portal")
		w.change(acme, func() { acme.Spec.SessionToken.HostedPortal = false })
		w.ready(acme)
		Expect(w.output("acme-session").Data).NotTo(HaveKey("portal-url"))
		Expect(w.sim.Calls()).To(HaveKeyWithValue(mint, 1))
	})

	DescribeTable("is renewed before it ends, each time", func(ttl, wantPause time.Duration) {
		w := newWorld(lasting(ttl))
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"), unasked)
		w.create(acme)
		w.ready(acme)
		w.sim.ResetCalls()
		const renewals = 10
		for renewal := range renewals {
			Expect(w.good("acme-session")).To(BeTrue(), "before renewal %d", renewal)
			w.renewed(acme)
			Expect(w.good("acme-session")).To(BeTrue(), "after renewal %d", renewal)
			delay, _ := w.delay(acme)
			Expect(delay).To(BeNumerically("~", wantPause, 2*time.Second))
		}
		Expect(w.sim.Calls()[mint]).To(Equal(renewals))
		w.ready(acme)
	},
		Entry("1 h", time.Hour, 20*time.Minute),
		Entry("24 h", 24*time.Hour, 20*time.Hour),
		Entry("7 days", 7*24*time.Hour, 164*time.Hour),
	)

	It("is not renewed before the one there ends while somebody could still use it", func() {
		w := newWorld(lasting(24 * time.Hour))
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"), unasked)
		w.create(acme)
		w.ready(acme)
		before := string(w.output("acme-session").Data["token"])
		w.sim.Inject(simulator.Fault{Operation: mint, Status: 500})
		w.pass(acme, 20*time.Hour)
		Expect(string(w.output("acme-session").Data["token"])).To(Equal(before))
		w.ready(acme)
		for range 8 {
			w.pass(acme, 5*time.Minute)
		}
		Expect(w.sim.Calls()[mint]).To(BeNumerically("<=", 10))
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonProgressDeadlineExceeded)
		Expect(w.good("acme-session")).To(BeTrue())
		w.sim.ClearFaults()
		w.pass(acme, 5*time.Minute)
		w.ready(acme)
		Expect(string(w.output("acme-session").Data["token"])).NotTo(Equal(before))
	})

	It("that lives for a second costs a call every ten seconds, no more", func() {
		w := newWorld(lasting(time.Second))
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"), unasked)
		w.create(acme)
		w.ready(acme)
		for range 30 {
			delay := w.renewed(acme)
			Expect(delay).To(BeNumerically("~", 10*time.Second, time.Second))
			Expect(w.good("acme-session")).To(BeTrue(), "right after it was renewed")
		}
		w.ready(acme)
	})

	It("is asked for ever more seldom while Cobalt hands back the same one", func() {
		w := newWorld(lasting(24 * time.Hour))
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"), unasked)
		w.create(acme)
		w.ready(acme)
		first := string(w.output("acme-session").Data["token"])
		w.handsOut(first, "")
		w.sim.ResetCalls()
		var passed time.Duration
		for passed < 24*time.Hour-time.Second-2*time.Minute {
			Expect(w.good("acme-session")).To(BeTrue(), "after %s", passed)
			passed += w.renewed(acme)
			w.ready(acme)
		}
		Expect(w.sim.Calls()[mint]).To(BeNumerically("<=", 12))
		Expect(string(w.output("acme-session").Data["token"])).To(Equal(first))

		By("having another one at last")
		w.sim.ClearFaults()
		w.renewed(acme)
		Expect(w.good("acme-session")).To(BeTrue())
		Expect(string(w.output("acme-session").Data["token"])).NotTo(Equal(first))
	})

	It("that has expired already is not written, and asked for with growing pauses", func() {
		w := newWorld()
		w.connected()
		expired := "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.x" // exp: 1
		w.handsOut(expired, "")
		acme := w.account("acme", tokenIn("acme-session"), unasked)
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).To(Equal("session token: Cobalt answered with one that has expired"))
		Expect(w.output("acme-session")).To(BeNil())
		var passed time.Duration
		for passed < time.Hour {
			passed += w.renewed(acme)
		}
		// About 20, and as many as 8 more each time the pauses start anew because the
		// cache lags behind one of the two reports; a hot loop would be thousands.
		Expect(w.sim.Calls()[mint]).To(BeNumerically("<=", 40))
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonProgressDeadlineExceeded)
		w.sim.ClearFaults()
		w.renewed(acme)
		w.ready(acme)
		Expect(w.good("acme-session")).To(BeTrue())
	})

	DescribeTable("lasts as long as Cobalt says, however it does", func(token, more string, wantLife time.Duration) {
		w := newWorld()
		w.connected()
		w.handsOut(token, more)
		acme := w.account("acme", tokenIn("acme-session"))
		w.create(acme)
		w.ready(acme)
		Expect(acme.Status.SessionToken.ExpiresAt.Sub(w.time.Now())).To(BeNumerically("~", wantLife, time.Second))
	},
		Entry("expires_in", "hunter2-opaque", `,"expires_in":5400`, 90*time.Minute),
		Entry("nothing", "hunter2-opaque", ``, 24*time.Hour),
		Entry("a text that only looks like a JSON Web Token", "hunter2.b.c", ``, 24*time.Hour),
	)

	It("never overwrites somebody else's Secret", func() {
		w := newWorld()
		w.connected()
		theirs := w.secret("acme-session", map[string]string{"token": "hunter2-theirs"})
		theirs.Labels = map[string]string{"cobalt.gocobalt.io/linked-account": "acme"} // which is not enough
		w.create(theirs)
		acme := w.account("acme", tokenIn("acme-session"))
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned)
		Expect(message).To(Equal("Secret " + w.namespace + "/acme-session exists and was not made for this LinkedAccount: " +
			"delete it, or set another sessionToken.secretName"))
		w.pass(acme, syncInterval)
		Expect(w.output("acme-session").ResourceVersion).To(Equal(theirs.ResourceVersion))
		Expect(w.sim.Calls()).NotTo(HaveKey(mint))

		By("another account asking for the same Secret")
		w.remove(theirs)
		w.request(acme, "gone")
		w.ready(acme)
		globex := w.account("globex", tokenIn("acme-session"))
		w.create(globex)
		w.settled(globex, metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned)
		Expect(string(w.output("acme-session").Data["linked-account-id"])).To(Equal("acme"))
	})

	It("is made again, once, when its Secret was deleted", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"))
		w.create(acme)
		w.ready(acme)
		old := w.output("acme-session")
		w.sim.ResetCalls()
		w.remove(old)
		Eventually(func() *corev1.Secret { return w.output("acme-session") }).ShouldNot(BeNil())
		w.ready(acme)
		Eventually(func() string { w.read(acme); return acme.Status.SessionToken.SecretVersion }).Should(
			HavePrefix(string(w.output("acme-session").UID)))
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getLinkedAccount": 1, mint: 1}))

		By("deleting it while the operator is down")
		w.stop()
		w.remove(w.output("acme-session"))
		w.start()
		Eventually(func() bool { return w.good("acme-session") }).Should(BeTrue())
	})

	It("moves with the name of its Secret, and goes when it is no longer asked for", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"))
		w.create(acme)
		w.ready(acme)
		w.create(w.secret("taken", map[string]string{"k": "hunter2"}))
		w.change(acme, func() { acme.Spec.SessionToken.SecretName = "taken" })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotOwned)
		Expect(w.good("acme-session")).To(BeTrue(), "the old one stays until there is a new one")
		w.change(acme, func() { acme.Spec.SessionToken.SecretName = "acme-token" })
		w.ready(acme)
		Expect(w.output("acme-session")).To(BeNil())
		Expect(w.good("acme-token")).To(BeTrue())

		By("forgetting about it after the status was wiped")
		w.stop()
		w.read(acme)
		acme.Status = v1alpha1.LinkedAccountStatus{}
		Expect(w.Status().Update(w.ctx, acme)).To(Succeed())
		w.change(acme, func() { acme.Spec.SessionToken = nil })
		w.start()
		w.ready(acme)
		Expect(w.output("acme-token")).To(BeNil())
		Expect(acme.Status.SessionToken).To(BeNil())
		Expect(w.output("taken")).NotTo(BeNil())
	})

	It("is another one after the account was made anew, and after somebody emptied the Secret", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"))
		w.create(acme)
		w.ready(acme)
		w.byHand(func(api *cobalt.Client) error { return api.DeleteLinkedAccount(w.ctx, "acme") })
		w.request(acme, "now")
		Expect(w.good("acme-session")).To(BeTrue())
		secret := w.output("acme-session")
		w.change(secret, func() { delete(secret.Data, "token") })
		Eventually(func() bool { // the cache may see the change a moment after the first look
			w.pass(acme, syncInterval)
			return w.good("acme-session")
		}).Should(BeTrue())
	})

	It("goes on being renewed while credentials are missing", func() {
		w := newWorld(lasting(time.Hour))
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"), unasked, migrating("hubspot", "missing", ""))
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		w.pass(acme, 15*time.Minute)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonProgressDeadlineExceeded)
		for range 6 {
			Expect(w.good("acme-session")).To(BeTrue())
			w.renewed(acme)
		}
		Expect(w.good("acme-session")).To(BeTrue())
	})

	It("is renewed in time after a restart", func() {
		w := newWorld(lasting(time.Hour))
		w.connected()
		acme := w.account("acme", tokenIn("acme-session"), unasked)
		w.create(acme)
		w.ready(acme)
		w.time.Step(10 * time.Minute)
		w.restart()
		w.ready(acme)
		Expect(w.renewed(acme)).To(BeNumerically("~", 10*time.Minute, 2*time.Second))
	})

	It("stays when an operator starts that is shown an account which has not asked for it yet", func() {
		w, acme := withAccount()
		was := copyOf(acme)
		w.change(acme, func() { tokenIn("acme-session")(acme) })
		w.ready(acme)
		before := w.output("acme-session")
		w.stop()
		w.succeed(longAgo, was, copyOf(acme))
		w.request(acme, "now")
		Expect(w.output("acme-session")).To(Equal(before))
		Expect(w.sim.Calls()).To(HaveKeyWithValue(mint, 1))
	})

	It("without its portal is better than none", func() {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{Operation: "createHostedPortalUrl", Status: 400})
		acme := w.account("acme", tokenIn("acme-session"), withPortal)
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(message).To(HavePrefix("Cobalt refused: hosted portal: createHostedPortalUrl: 400"))
		Expect(w.good("acme-session")).To(BeTrue())
		w.sim.ClearFaults()
		w.request(acme, "now")
		w.ready(acme)
		Expect(w.output("acme-session").Data).To(HaveKey("portal-url"))
		Expect(w.sim.Calls()).To(HaveKeyWithValue(mint, 1))
	})

	It("is not asked for under ReadOnly", func() {
		w := newWorld()
		w.connected()
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "acme"})
			return err
		})
		w.create(w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2-refresh"}))
		acme := w.account("acme", tokenIn("acme-session"), withPortal, migrating("hubspot", "hubspot-oauth", ""),
			func(obj *v1alpha1.LinkedAccount) { obj.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly })
		w.create(acme)
		w.settled(acme, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getLinkedAccount": 1}))
		Expect(w.output("acme-session")).To(BeNil())
	})

	It("has a Secret that its account's name can label, however long it is", func() {
		w := newWorld()
		w.connected()
		acme := w.account(strings.Repeat("a", 200), tokenIn("acme-session"))
		w.create(acme)
		w.ready(acme)
		Expect(w.output("acme-session")).NotTo(BeNil())
	})
})
