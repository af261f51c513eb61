package stories

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

const (
	asJSON   = "application/json"
	notFound = http.StatusNotFound
)

// falseAnswers are those of somebody on the way, or of an API that errs, to a call about something that is there.
var falseAnswers = []simulator.Fault{
	{Status: notFound, ContentType: "text/plain", Body: "404 page not found"},
	{Status: notFound, ContentType: "text/plain", Body: " "},
	{Status: notFound, ContentType: asJSON, Body: `{"message":"no Route matched with those values"}`},
	{Status: notFound, ContentType: asJSON, Body: `{"error_code":"RESOURCE_NOT_FOUND","message":"not found"}`},
	{Status: notFound, ContentType: asJSON, Body: `{"error":"not found"}`},
	{Status: notFound, ContentType: asJSON, Body: `{"error_code":"MISSING_LINKED_ACCOUNT_ID","message":"header missing"}`},
	{Status: notFound, Body: "<html>nothing here</html>"},
	{Status: http.StatusBadRequest, ContentType: asJSON, Body: `{"error_code":"RESOURCE_NOT_FOUND","message":"Linked account not found"}`},
	{Status: http.StatusInternalServerError, ContentType: asJSON, Body: `{"error":"Server Error","message":"Config not found"}`},
	{Status: http.StatusOK, ContentType: asJSON, Body: `{"error":"not found"}`},
	{Status: http.StatusOK, ContentType: asJSON, Body: `{"error":{"code":"RESOURCE_NOT_FOUND","message":"not found"}}`},
	{Status: http.StatusOK, Body: "<html>log in</html>"},
	{Status: http.StatusUnauthorized, Body: "<html>log in</html>"},
	{Status: http.StatusForbidden, Body: "<html>blocked</html>"},
	{Status: http.StatusConflict},
	{Status: http.StatusFound},
	{Status: http.StatusRequestTimeout},
	{Status: http.StatusBadGateway, Body: "<html>bad gateway</html>"},
	{Truncate: true, ContentType: asJSON},
	{HangUp: simulator.HangUpBefore},
}

// refusals are those of falseAnswers that read as if Cobalt had understood the call and refused it.
var refusals = []int{5, 9, 10}

// doomedObject is an object to delete, and what is to go wrong meanwhile.
type doomedObject struct {
	object.Object
	kind, account  string
	form, position int
}

// manyDoomed makes an object of each kind for each form and each of some positions.
func manyDoomed(w *world, positions int) []*doomedObject {
	var all []*doomedObject
	for form := range falseAnswers {
		for position := range positions {
			for kind, build := range map[string]func(name string) object.Object{
				"a LinkedAccount":      func(name string) object.Object { return w.account(name) },
				"an IntegrationConfig": func(name string) object.Object { return w.config(name, ofID(name)) },
				"a Webhook":            func(name string) object.Object { return w.webhook(name, ofID(name), "a", "b") },
			} {
				name := fmt.Sprintf("%s-%d-%d", strings.ToLower(strings.Fields(kind)[1]), form, position)
				all = append(all, &doomedObject{Object: build(name), kind: kind, account: name, form: form, position: position})
			}
		}
	}
	return all
}

// strike has the answer that is false come to one call of the deletion: to the delete, to the first call of all, or to the
// look at what is gone already; each after so many honest failures of the delete, or of the looks before it.
func (d *doomedObject) strike(w *world) {
	times, deletes := d.position%5, lives[d.kind].deletes
	fault := falseAnswers[d.form]
	fault.Account, fault.Times = d.account, 1
	honest := func(operation string, fault simulator.Fault) {
		if times > 0 {
			fault.Operation, fault.Account, fault.Times = operation, d.account, times
			w.sim.Inject(fault)
		}
	}
	switch d.position / 5 {
	case 0:
		honest(deletes, simulator.Fault{Status: http.StatusServiceUnavailable})
		fault.Operation = deletes
	case 1:
		honest(looks[d.kind], simulator.Fault{Delay: 1})
		honest(deletes, simulator.Fault{Status: http.StatusServiceUnavailable})
	case 2:
		honest(deletes, simulator.Fault{Status: http.StatusServiceUnavailable})
		fault.Operation = looks[d.kind]
	}
	w.sim.Inject(fault)
}

// vanishes has what an object stands for go without it.
func (d *doomedObject) vanishes(ctx context.Context, api *cobalt.Client) error {
	switch d.kind {
	case "a LinkedAccount":
		return api.DeleteLinkedAccount(ctx, d.account)
	case "an IntegrationConfig":
		return api.DeleteConfig(ctx, d.account, d.account)
	}
	return api.UnsubscribeWebhook(ctx, d.account, []string{"a", "b"})
}

// left are the objects of our kinds that there still are, by name.
func (w *world) left() []string {
	GinkgoHelper()
	var left []string
	for _, list := range []client.ObjectList{&v1alpha1.LinkedAccountList{}, &v1alpha1.IntegrationConfigList{}, &v1alpha1.WebhookList{}} {
		Expect(w.List(w.ctx, list, client.InNamespace(w.namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(item runtime.Object) error {
			left = append(left, item.(client.Object).GetName())
			return nil
		})).To(Succeed())
	}
	return left
}

// wasRefused tells whether the false answer to the deletion of an object reads like a refusal.
func wasRefused(name string) bool {
	form, err := strconv.Atoi(strings.Split(name, "-")[1])
	return err == nil && slices.Contains(refusals, form)
}

// settle creates objects whose accounts are there already, unless they are accounts, and waits until all are Ready.
func settle(w *world, all []*doomedObject) {
	GinkgoHelper()
	w.connected()
	w.byHand(func(api *cobalt.Client) error {
		for _, d := range all {
			if d.kind == "a LinkedAccount" {
				continue
			}
			if _, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: d.account}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, d := range all {
		w.create(d.Object)
	}
	for _, d := range all {
		w.ready(d.Object)
	}
}

var _ = Describe("Nine hundred deletions with one false answer each", enumeration, func() {
	It("leave nothing behind, and none takes longer than its pauses", func() {
		w := newWorld()
		all := manyDoomed(w, 15)
		Expect(all).To(HaveLen(900))
		settle(w, all)
		w.byHand(func(api *cobalt.Client) error {
			for _, d := range all {
				if d.position < 10 {
					continue
				}
				if err := d.vanishes(w.ctx, api); err != nil {
					return err
				}
			}
			return nil
		})
		for _, d := range all {
			d.strike(w)
		}
		for _, d := range all {
			w.remove(d.Object)
		}
		w.goOnFor(time.Second, time.Minute) // five failures have pauses of 1, 2, 4, 8 and 16 s
		left := w.left()
		Expect(left).To(HaveLen(3*15*len(refusals)), "%v", left)
		Expect(left).To(HaveEach(Satisfy(wasRefused)), "all but what Cobalt seems to have understood and refused")
		w.goOnFor(10*time.Second, syncInterval)
		Expect(w.left()).To(BeEmpty(), "a refusal is put to the test at the next look")
		state := w.sim.State("test")
		for _, account := range state.Accounts {
			Expect(account.LinkedAccountID).NotTo(HavePrefix("linkedaccount"))
		}
		Expect(state.Configs).To(BeEmpty())
		Expect(state.Webhooks).To(BeEmpty())
	})
})

var _ = Describe("What is gone already", func() {
	It("costs three misses in two minutes at most, whatever form they have", func() {
		const forms = 5 // those of a miss
		w := newWorld()
		all := slices.DeleteFunc(manyDoomed(w, 1), func(d *doomedObject) bool { return d.form >= forms })
		settle(w, all)
		w.byHand(func(api *cobalt.Client) error {
			for _, d := range all {
				fault := falseAnswers[d.form]
				fault.Account = d.account
				w.sim.Inject(fault)
			}
			return nil
		})
		for _, d := range all {
			w.remove(d.Object)
		}
		w.goOnFor(time.Second, 25*time.Second)
		own := func(name string) bool { return strings.Contains(name, "-3-") }
		Expect(w.left()).To(And(HaveLen(4*3), Not(ContainElement(Satisfy(own)))), "what the API says itself it need not repeat")
		w.goOnFor(time.Second, 95*time.Second)
		Expect(w.left()).To(BeEmpty())
		misses := map[string]int{}
		for _, call := range w.sim.Log() {
			if call.LinkedAccountID != "" {
				misses[call.LinkedAccountID]++
			}
		}
		for _, d := range all {
			Expect(misses[d.account]).To(Equal(map[bool]int{true: 2, false: 3}[own(d.account)]), d.account)
		}
	})
})

var _ = Describe("A deletion that was refused once", func() {
	It("is tried again although drift is never looked for", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme", unasked)
		w.create(acme)
		w.ready(acme)
		w.sim.Inject(simulator.Fault{Operation: "deleteLinkedAccount", Status: http.StatusOK, ContentType: asJSON, Body: `{"error":"try later"}`, Times: 1})
		w.remove(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		w.goOnFor(10*time.Second, 11*time.Minute)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
	})
})

var _ = Describe("What is there", func() {
	It("is not called gone because there is no list of accounts, whatever the policy", func() {
		w := newWorld()
		w.connected()
		var accounts []*v1alpha1.LinkedAccount
		for i := range 8 {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			if i%2 == 0 {
				accounts[i].Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
			}
			w.create(accounts[i])
		}
		allReady(w, accounts)
		miss := falseAnswers[3]
		miss.Operation = "listLinkedAccounts"
		w.time.Advance(syncInterval / 2) // no list is young enough
		w.sim.Inject(miss)
		for _, acme := range accounts {
			miss.Operation, miss.Account, miss.Times = "getLinkedAccount", acme.Name, 1
			w.sim.Inject(miss)
		}
		for _, acme := range accounts {
			w.remove(acme)
		}
		w.goOnFor(time.Second, time.Minute)
		for _, acme := range accounts {
			w.gone(acme)
		}
		Expect(w.sim.State("test").Accounts).To(BeEmpty())
	})
})
