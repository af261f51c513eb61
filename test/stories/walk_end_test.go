package stories

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
)

// names are those of the objects that are there, in order.
func (w *walker) names() []string { return slices.Sorted(maps.Keys(w.objects)) }

// belongs tells whether what a name stands for belongs to an account.
func belongs(name, account string) bool {
	kind, of, _ := strings.Cut(name, " ")
	return kind != "account" && of == account
}

// calm ends all trouble and waits until every object has come to its end: in sync,
// or unknown where a call cannot be repeated.
func (w *walker) calm() {
	GinkgoHelper()
	w.repair()
	Eventually(func(g Gomega) {
		w.time.Advance(30 * time.Second)
		w.accept()
		for _, name := range w.names() {
			obj := w.objects[name]
			g.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
			g.Expect(obj.MemberStatus().ObservedGeneration).To(Equal(obj.GetGeneration()), name)
			g.Expect(reasons(obj)).To(HaveLen(1), name)
			g.Expect(reasons(obj)[0]).To(BeElementOf(w.ends(obj)), name)
		}
	}).Should(Succeed(), "after %v", w.steps)
}

// ends are the reasons that an object may have when all is calm. Of an execution that
// went with its account before anybody saw its end, nothing good can be told.
func (w *walker) ends(obj client.Object) []string {
	switch obj := obj.(type) {
	case *v1alpha1.PublicWorkflow:
		return []string{v1alpha1.ReasonSynced, v1alpha1.ReasonCreateOutcomeUnknown}
	case *v1alpha1.EventTrigger:
		if w.forgotten[obj.Spec.LinkedAccountRef.Name] {
			return []string{v1alpha1.ReasonCompleted, v1alpha1.ReasonDeliveryUnknown, v1alpha1.ReasonExecutionFailed}
		}
		return []string{v1alpha1.ReasonCompleted, v1alpha1.ReasonDeliveryUnknown}
	}
	return []string{v1alpha1.ReasonSynced}
}

// matches compares what is in Cobalt with what the objects say, as soon as the
// operator has looked once more.
func (w *walker) matches() {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		w.time.Advance(30 * time.Second)
		w.accept() // it may have come to doubt only now
		for _, name := range w.names() {
			g.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(w.objects[name]), w.objects[name])).To(Succeed())
			switch obj := w.objects[name].(type) {
			case *v1alpha1.LinkedAccount:
				w.accountMatches(g, obj)
			case *v1alpha1.IntegrationConfig:
				w.configMatches(g, obj)
			case *v1alpha1.Webhook:
				hook := w.remoteWebhook(obj.Spec.LinkedAccountRef.Name)
				g.Expect(hook).NotTo(BeNil(), name)
				g.Expect(hook.WebhookURL).To(Equal(obj.Spec.URL), name)
				g.Expect(hook.WebhookEvents).To(ConsistOf(obj.Spec.Events), name)
			case *v1alpha1.PublicWorkflow:
				if reasons(obj)[0] == v1alpha1.ReasonSynced {
					g.Expect(w.described(obj.Status.ID)).To(Equal(obj.Spec.Description), "%s is Ready", name)
				}
			case *v1alpha1.EventTrigger:
				if reasons(obj)[0] == v1alpha1.ReasonCompleted && !w.forgotten[obj.Spec.LinkedAccountRef.Name] {
					g.Expect(executionIDs(w.world)).To(ContainElement(obj.Status.ExecutionID), "%s is Completed", name)
				}
			}
		}
		w.nobodys(g)
	}).Should(Succeed(), "after %v", w.steps)
	w.nothingTwice()
}

func (w *walker) accountMatches(g Gomega, obj *v1alpha1.LinkedAccount) {
	remote := w.remote(obj.Name)
	g.Expect(remote).NotTo(BeNil(), obj.Name)
	g.Expect(remote.Name).To(Equal(obj.Spec.Name))
	g.Expect(obj.Status.ID).To(Equal(remote.ID))
	var listed map[string]any
	g.Expect(json.Unmarshal(obj.Spec.YourApp.Raw, &listed)).To(Succeed())
	for _, key := range []string{"tier", "seats"} { // nobody else sets these
		if listed[key] == nil {
			g.Expect(remote.YourApp[key]).To(BeNil(), key)
			continue
		}
		g.Expect(remote.YourApp).To(HaveKeyWithValue(key, listed[key]))
	}
	name := obj.Name + "-session"
	if obj.Spec.SessionToken == nil {
		g.Expect(w.output(name)).To(BeNil())
	} else {
		g.Expect(w.good(name)).To(BeTrue(), "the session token of %s", obj.Name)
	}
}

// described is what a workflow in Cobalt says that it is.
func (w *walker) described(id string) string {
	for _, workflow := range w.sim.State("test").Workflows {
		if workflow.ID == id {
			return workflow.Description
		}
	}
	return "there is no workflow " + id
}

func (w *walker) configMatches(g Gomega, obj *v1alpha1.IntegrationConfig) {
	remote := w.remoteConfig(obj.Spec.LinkedAccountRef.Name)
	g.Expect(remote).NotTo(BeNil(), obj.Name)
	g.Expect(obj.Status.ID).To(Equal(remote.ConfigID))
	has, err := json.Marshal(remote.Fields["deal_stage"])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(jsonvalue.Same(jsonvalue.Decode(has), jsonvalue.Decode(obj.Spec.Fields[0].Value.Raw))).To(BeTrue(), "%s, not %s", has, obj.Spec.Fields[0].Value.Raw)
	owner := w.secret("owner", nil)
	g.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(owner), owner)).To(Succeed())
	g.Expect(remote.Fields).To(HaveKeyWithValue("owner_email", string(owner.Data["address"])))
	for _, wanted := range remote.Workflows {
		if wanted.ID == "sync-deals" {
			g.Expect(wanted.Enabled).To(Equal(obj.Spec.Workflows[0].Enabled))
		}
	}
}

// nobodys checks that there is nothing in Cobalt that no object asks for.
func (w *walker) nobodys(g Gomega) {
	state := w.sim.State("test")
	for _, account := range state.Accounts {
		g.Expect(w.objects).To(HaveKey("account "+account.LinkedAccountID), "an account that is nobody's")
	}
	for _, config := range state.Configs {
		g.Expect(w.objects).To(HaveKey("config "+config.LinkedAccountID), "a config that is nobody's")
	}
	for _, hook := range state.Webhooks {
		g.Expect(w.objects).To(HaveKey("webhook "+hook.LinkedAccountID), "a webhook that is nobody's")
	}
}

// nothingTwice checks that there are no more workflows and events than were asked for.
func (w *walker) nothingTwice() {
	GinkgoHelper()
	state, done := w.sim.State("test"), map[string]int{}
	for _, workflow := range state.Workflows {
		done[fmt.Sprintf("workflow %s of %s", strings.TrimPrefix(workflow.Description, "content "), workflow.LinkedAccountID)]++
	}
	for _, event := range state.Events {
		done[fmt.Sprintf("event %v of %s", event.Payload["deal"], event.LinkedAccountID)]++
	}
	for what, times := range done {
		Expect(times).To(BeNumerically("<=", w.asked[what]), "%s, after %v", what, w.steps)
	}
}

// leave deletes all objects, half of the times the accounts last, and sees that
// nothing is left but what the API cannot delete.
func (w *walker) leave() {
	GinkgoHelper()
	if w.random.IntN(2) == 0 {
		w.discard(func(name string) bool { return !strings.HasPrefix(name, "account ") })
	}
	w.discard(func(string) bool { return true })
}

func (w *walker) discard(which func(name string) bool) {
	GinkgoHelper()
	names := slices.DeleteFunc(w.names(), func(name string) bool { return !which(name) })
	for _, name := range names {
		Expect(w.Delete(w.ctx, w.objects[name])).To(Succeed())
	}
	for _, name := range names {
		obj := w.objects[name]
		Eventually(func() bool {
			w.time.Advance(5 * time.Second)
			return apierrors.IsNotFound(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj))
		}).Should(BeTrue(), "%s does not go: %v, after %v", name, reasons(obj), w.steps)
		delete(w.objects, name)
	}
	w.nobodys(NewGomega(func(message string, _ ...int) { Fail(message) }))
}
