package stories

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

func (w *walker) fault() {
	fault := simulator.Fault{Times: 1 + w.random.IntN(4)}
	switch w.random.IntN(8) {
	case 0:
		fault.Status, fault.RetryAfter = 429, "3"
	case 1:
		fault.Status = 500
	case 2:
		fault.HangUp = simulator.HangUpBefore
	case 3:
		fault.HangUp = simulator.HangUpAfter
	case 4:
		fault.Body = "<html>garbage</html>"
	case 5:
		fault.Truncate = true
	case 6:
		fault.Status, fault.WorkDone = 502, true
	case 7: // as long as others need to overtake it
		fault.Delay = time.Duration(1+w.random.IntN(20)) * time.Millisecond
	}
	w.step("fault %+v", fault)
	w.sim.Inject(fault)
}

// put creates a Secret or changes it.
func (w *walker) put(secret *corev1.Secret) {
	GinkgoHelper()
	if err := w.Update(w.ctx, secret); !apierrors.IsNotFound(err) {
		Expect(err).NotTo(HaveOccurred())
		return
	}
	w.create(secret)
}

// changeSecret changes the Secret that configs refer to, or deletes it.
func (w *walker) changeSecret() {
	GinkgoHelper()
	number := w.random.IntN(4)
	w.step("owner %d", number)
	secret := w.secret("owner", map[string]string{"address": fmt.Sprintf("hunter2-%d@acme.example", number)})
	if number == 3 {
		Expect(client.IgnoreNotFound(w.Delete(w.ctx, secret))).To(Succeed())
		return
	}
	w.put(secret)
}

// turnKey has Cobalt forget the key, or know it again.
func (w *walker) turnKey() {
	w.step("key is away: %t", !w.away)
	if w.away = !w.away; w.away {
		w.sim.RevokeKey(w.key)
	} else {
		w.sim.AddKey(w.key, "test")
	}
}

// rotateKey replaces the key.
func (w *walker) rotateKey() {
	GinkgoHelper()
	w.step("rotate the key")
	w.sim.RevokeKey(w.key)
	w.key = map[string]string{goodKey: secondKey, secondKey: goodKey}[w.key]
	w.sim.AddKey(w.key, "test")
	w.put(w.keySecret(w.key))
	w.away = false
}

func (w *walker) changeEnvironment() {
	GinkgoHelper()
	interval := w.pick("", "5m", "15m")
	w.step("sync every %s", interval)
	w.read(w.env)
	w.change(w.env, func() { w.env.Settings().SyncInterval = v1alpha1.Duration(interval) })
}

func (w *walker) suspendSomething() {
	GinkgoHelper()
	name, obj := w.some()
	if obj == nil {
		return
	}
	w.read(obj)
	w.change(obj, func() { obj.MemberSpec().Suspend = !obj.MemberSpec().Suspend })
	w.step("suspend %s: %t", name, obj.MemberSpec().Suspend)
}

// misspell has an object refer to what is not there.
func (w *walker) misspell() {
	GinkgoHelper()
	name, obj := w.some()
	if obj == nil {
		return
	}
	w.step("misspell %s", name)
	w.read(obj)
	w.change(obj, func() {
		switch obj := obj.(type) {
		case *v1alpha1.LinkedAccount:
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "nowhere", Key: "address"}}}
		case *v1alpha1.IntegrationConfig:
			obj.Spec.Fields[1].ValueFrom.SecretKeyRef.Key = "nowhere"
		}
	})
}

// repair has the users put right what went wrong on the way.
func (w *walker) repair() {
	GinkgoHelper()
	w.sim.ClearFaults()
	w.lag.Lag(nil, nil)
	if w.away {
		w.turnKey()
	}
	if err := w.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "owner"}, &corev1.Secret{}); err != nil {
		w.create(w.secret("owner", map[string]string{"address": "hunter2-0@acme.example"}))
	}
	for _, name := range w.names() {
		obj := w.objects[name]
		w.read(obj)
		w.change(obj, func() {
			obj.MemberSpec().Suspend = false
			switch obj := obj.(type) {
			case *v1alpha1.LinkedAccount:
				obj.Spec.YourAppFrom = nil
			case *v1alpha1.IntegrationConfig:
				obj.Spec.Fields[1].ValueFrom.SecretKeyRef.Key = "address"
			}
		})
	}
}

// accept says that the environment is the right one, if it has come to doubt that: most
// of the accounts may have gone while its key was replaced.
func (w *walker) accept() {
	GinkgoHelper()
	w.read(w.env)
	ready := meta.FindStatusCondition(w.env.EnvironmentStatus().Conditions, v1alpha1.ConditionReady)
	if ready.Reason != v1alpha1.ReasonDifferentEnvironment {
		return
	}
	_, value, _ := strings.Cut(ready.Message, v1alpha1.AcceptEnvironmentAnnotation+"=")
	value, _, _ = strings.Cut(value, " ")
	w.change(w.env, func() { w.env.SetAnnotations(map[string]string{v1alpha1.AcceptEnvironmentAnnotation: value}) })
}

func (w *walker) restartIt() {
	GinkgoHelper()
	w.step("restart")
	w.restart()
}

func (w *walker) wait() {
	GinkgoHelper()
	d := time.Duration(1+w.random.IntN(20)) * time.Minute
	w.step("wait %s", d)
	w.time.Advance(d)
	w.rest()
}
