package process

import (
	"net/http"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// underWay are objects whose creation makes one call each that changes something in Cobalt.
func (w *world) underWay() []object.Object {
	acme := v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: "acme"}}
	event := &v1alpha1.EventTrigger{ObjectMeta: w.named("event")}
	event.Spec.AccountReference, event.Spec.Event = acme, &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
	run := &v1alpha1.EventTrigger{ObjectMeta: w.named("run")}
	run.Spec.AccountReference, run.Spec.Workflow = acme, &v1alpha1.WorkflowReference{ID: "sync-deals"}
	webhook := &v1alpha1.Webhook{ObjectMeta: w.named("webhook")}
	webhook.Spec.AccountReference, webhook.Spec.URL, webhook.Spec.Events = acme, "https://hooks.example/acme", []string{"Deal Created"}
	config := &v1alpha1.IntegrationConfig{ObjectMeta: w.named("config")}
	config.Spec.AccountReference, config.Spec.Application = acme, "hubspot"
	return []object.Object{event, run, webhook, config, &v1alpha1.LinkedAccount{ObjectMeta: w.named("umbrella")}}
}

// TestWhatIsUnderWayEndsWellWhenTheOperatorIsToldToStop: an operator that was told to stop waits for the answers to what it
// has begun, writes down what they say, begins nothing more, and only then lets another begin, which does none of it again.
func TestWhatIsUnderWayEndsWellWhenTheOperatorIsToldToStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start()
	w.connected("acme", "globex")
	leader := w.holder()
	second := w.start()
	workflow := &v1alpha1.PublicWorkflow{ObjectMeta: w.named("workflow")}
	workflow.Spec.LinkedAccountRef, workflow.Spec.Name = &v1alpha1.LinkedAccountReference{Name: "acme"}, "Sync deals"
	workflow.Spec.Nodes = []v1alpha1.WorkflowNode{{Type: "start"}}

	objects := w.underWay()
	first.holding(changes)
	for _, obj := range objects {
		w.create(obj)
	}
	w.Expect(w.Delete(w.ctx, &v1alpha1.LinkedAccount{ObjectMeta: w.named("globex")})).To(Succeed())
	w.Eventually(first.waiting).Should(Equal(len(objects) + 1))

	first.signal(syscall.SIGTERM)
	w.Eventually(first.said).Should(ContainSubstring("Shutdown signal received"))
	before := first.made()
	w.create(workflow)
	told := w.renewed()
	w.Eventually(w.renewed).Should(BeTemporally(">", told), "the lease is held while calls are under way")
	w.Expect(w.holder()).To(Equal(leader))
	first.release()
	w.Expect(first.end()).To(BeZero())
	w.Expect(changing(first.made())).To(Equal(changing(before)), "calls were begun after the operator was told to stop")

	w.ready(objects...)
	w.ready(workflow)
	w.Expect(changing(second.made())).To(ConsistOf(HavePrefix("POST /public/session-token"), HavePrefix("POST /public/workflow")),
		"something was done again")
	w.Expect(w.sim.State("test").Executions).To(HaveLen(2))
}

// TestWhatDoesNotEndIsNotedBeforeTheGracePeriodDoes: what is under way for too long is given up while there is time to say so.
func TestWhatDoesNotEndIsNotedBeforeTheGracePeriodDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start("--grace-period=6s")
	w.connected("acme")
	trigger := w.underWay()[0].(*v1alpha1.EventTrigger)
	first.holding(changes)
	w.create(trigger)
	w.Eventually(first.waiting).Should(Equal(1))
	first.signal(syscall.SIGTERM)
	w.Expect(first.end()).To(BeZero())
	w.Expect(w.said(trigger)).To(And(HavePrefix("False DeliveryUnknown"), ContainSubstring("the operator was told to stop")))
	w.Expect(w.holder()).To(BeEmpty(), "the lease was given back")
}

// TestReadsEndAtOnceWhenTheOperatorIsToldToStop: nobody waits for what can be asked again.
func TestReadsEndAtOnceWhenTheOperatorIsToldToStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start("--grace-period=1h")
	w.connected("acme")
	first.holding(func(*http.Request) bool { return true })
	webhook := w.underWay()[2]
	w.create(webhook)
	w.Eventually(first.waiting).Should(Equal(1))
	first.signal(syscall.SIGTERM)
	w.Expect(first.end()).To(BeZero())
	w.Expect(first.waiting()).To(Equal(1), "nothing was called any more")
	w.Expect(w.said(webhook)).To(BeEmpty(), "nothing is known of it that could be said")
}
