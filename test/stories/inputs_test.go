package stories

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// shared is the Secret or ConfigMap that the objects of a story all use.
const sharedName = "shared"

func (w *world) sharedConfigMap(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: sharedName}, Data: data}
}

// appFrom takes yourApp from a key of the shared ConfigMap.
func appFrom(key string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) {
		source := v1alpha1.ValueSource{ConfigMapKeyRef: &v1alpha1.ConfigMapKeyReference{Name: sharedName, Key: key}}
		obj.Spec.YourAppFrom = append(obj.Spec.YourAppFrom, source)
	}
}

func payloadFromSecret(obj *v1alpha1.EventTrigger) {
	source := v1alpha1.ValueSource{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: sharedName, Key: "used"}}
	obj.Spec.PayloadFrom = append(obj.Spec.PayloadFrom, source)
}

// setKey changes a key of a Secret or ConfigMap.
func setKey(obj client.Object, key, value string) func() {
	return func() {
		switch obj := obj.(type) {
		case *corev1.Secret:
			obj.Data[key] = []byte(value)
		case *corev1.ConfigMap:
			obj.Data[key] = value
		}
	}
}

func annotate(obj client.Object) func() {
	return func() {
		obj.SetAnnotations(map[string]string{"team": fmt.Sprint("next to ", obj.GetAnnotations()["team"])})
	}
}

// afterwards does something, and waits until the operator has looked at each object because of it.
func (w *world) afterwards(objects []client.Object, do func()) {
	GinkgoHelper()
	Eventually(w.time.Idle).Should(BeTrue())
	before := map[client.Object]int{}
	for _, obj := range objects {
		before[obj] = w.passes(obj)
	}
	do()
	for _, obj := range objects {
		Eventually(func() int { return w.passes(obj) }).Should(BeNumerically(">", before[obj]))
	}
	Eventually(w.time.Idle).Should(BeTrue())
}

// costs checks what something costs that all objects learn of: reads of what they share, and nothing else.
func (w *world) costs(source client.Object, objects []client.Object, most int, do func()) {
	GinkgoHelper()
	reads := func() int { return w.readsOf(source) }
	before, writes := reads(), w.writes(everyKind...)
	w.sim.ResetCalls()
	w.afterwards(objects, do)
	Expect(reads()-before).To(BeNumerically("<=", most), "reads of %s", source.GetName())
	Expect(w.sim.Calls()).To(BeEmpty())
	Expect(w.writes(everyKind...)-writes).To(BeZero(), "writes")
}

var _ = Describe("A Secret or ConfigMap that many objects use", func() {
	for name, build := range map[string]func(w *world) (source client.Object, objects []client.Object, used string, changed func() bool){
		"yourApp of 120 accounts": func(w *world) (client.Object, []client.Object, string, func() bool) {
			source := w.sharedConfigMap(map[string]string{"used": `{"tier":"gold"}`, "unused": "hunter2-x"})
			w.create(source)
			var objects []client.Object
			for i := range manyAccounts {
				objects = append(objects, w.account(fmt.Sprintf("acme-%d", i), appFrom("used")))
			}
			return source, objects, `{"tier":"silver"}`, func() bool {
				silver := 0
				for _, account := range w.sim.State("test").Accounts {
					if account.YourApp["tier"] == "silver" {
						silver++
					}
				}
				return silver == manyAccounts
			}
		},
		"one key of the credentials of accounts": func(w *world) (client.Object, []client.Object, string, func() bool) {
			source := w.secret(sharedName, map[string]string{"used": `{"token":"hunter2-old"}`, "unused": "hunter2-x"})
			w.create(source)
			var objects []client.Object
			for i := range 20 {
				objects = append(objects, w.account(fmt.Sprintf("acme-%d", i), migrating("hubspot", sharedName, "used")))
			}
			return source, objects, `{"token":"hunter2-new"}`, func() bool { return w.sim.Calls()["migrateToken"] == 20 }
		},
		"the fields of configs": func(w *world) (client.Object, []client.Object, string, func() bool) {
			source := w.secret(sharedName, map[string]string{"used": "hunter2-old", "unused": "hunter2-x"})
			acme := w.account("acme")
			w.create(source, acme)
			w.ready(acme)
			var objects []client.Object
			for i := range 20 {
				objects = append(objects, w.config(fmt.Sprintf("config-%d", i), of("acme"), fieldFrom("owner_email", sharedName, "used"),
					func(obj *v1alpha1.IntegrationConfig) { obj.Spec.ConfigID = fmt.Sprintf("config-%d", i) }))
			}
			return source, objects, "hunter2-new", func() bool {
				fresh := 0
				for _, config := range w.sim.State("test").Configs {
					if config.Fields["owner_email"] == "hunter2-new" {
						fresh++
					}
				}
				return fresh == 20
			}
		},
		"the payload of triggers": func(w *world) (client.Object, []client.Object, string, func() bool) {
			source := w.secret(sharedName, map[string]string{"used": `{"token":"hunter2-old"}`, "unused": "hunter2-x"})
			acme := w.account("acme")
			w.create(source, acme)
			w.ready(acme)
			var objects []client.Object
			for i := range 20 {
				objects = append(objects, w.trigger(fmt.Sprintf("trigger-%d", i), of("acme"), payloadFromSecret))
			}
			return source, objects, `{"token":"hunter2-new"}`, func() bool { return w.sim.Calls()["triggerEvent"] == 20 }
		},
	} {
		It("is read once when something else in it changes, and a change of what they use reaches all: "+name, func() {
			w := newWorld()
			w.connected()
			source, objects, value, changed := build(w)
			w.create(objects...)
			for _, obj := range objects {
				Eventually(func() []string { w.time.Advance(time.Second); w.read(obj); return reasons(obj.(object.Object)) }).Should(
					ContainElement(BeElementOf(v1alpha1.ReasonSynced, v1alpha1.ReasonCompleted)))
			}
			w.read(source)
			w.costs(source, objects, 1, func() { w.change(source, annotate(source)) })
			w.costs(source, objects, 1, func() { w.change(source, setKey(source, "unused", "hunter2-y")) })

			By("starting another operator, whose statuses speak of an earlier version")
			reads, writes := w.readsOf(source), w.writes(everyKind...)
			w.sim.ResetCalls()
			w.restart()
			for _, obj := range objects {
				Eventually(func() int { return w.passes(obj) }).Should(BeNumerically(">", 0))
			}
			Eventually(w.time.Idle).Should(BeTrue())
			Expect(w.readsOf(source) - reads).To(BeNumerically("<=", 1))
			Expect(w.sim.Calls()).To(Equal(map[string]int{"listApplications": 1}), "the environment's own")
			Expect(w.writes(everyKind...)).To(Equal(writes))

			By("changing what they use")
			w.sim.ResetCalls()
			w.change(source, setKey(source, "used", value))
			Eventually(changed).Should(BeTrue())
		})
	}

	It("makes no other connection of an environment whose key is the same: each Environment of a namespace has it", func() {
		w := newWorld()
		env := w.connected()
		objects := []client.Object{env}
		for i := range 5 {
			other := w.environment()
			other.Name = fmt.Sprintf("other-%d", i)
			w.create(other)
			w.ready(other)
			objects = append(objects, other)
		}
		key := w.keySecret("")
		w.read(key)
		w.costs(key, objects, 1, func() { w.change(key, annotate(key)) })
		w.costs(key, objects, 1, func() { w.change(key, setKey(key, "unused", "hunter2-y")) })
		w.sim.ResetCalls()
		w.change(key, setKey(key, "api-key", secondKey))
		Eventually(func() int { return w.sim.Calls()["listApplications"] }).Should(Equal(len(objects)), "each is asked whether it takes the new one")
	})
})
