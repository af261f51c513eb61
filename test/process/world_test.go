package process

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// What the operators are told of Cobalt, which they find through their proxies.
const (
	origin = "http://cobalt.example"
	apiKey = "hunter2-of-processes"
	lease  = "cobalt-operator.gocobalt.io"
)

// world is a namespace, a simulator and the operators of one test.
type world struct {
	*WithT
	client.Client
	t         *testing.T
	ctx       context.Context
	namespace string
	sim       *simulator.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	g := NewWithT(t)
	g.SetDefaultEventuallyTimeout(time.Minute)
	w := &world{
		WithT: g, Client: cluster.Client, t: t, ctx: t.Context(),
		sim: simulator.New(simulator.Options{Keys: map[string]string{apiKey: "test"}}),
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "process-"}}
	w.Expect(w.Create(w.ctx, namespace)).To(Succeed())
	w.namespace = namespace.Name
	return w
}

// named is the metadata of an object of this world.
func (w *world) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

// connected creates an environment and some accounts.
func (w *world) connected(accounts ...string) {
	w.t.Helper()
	w.create(&corev1.Secret{ObjectMeta: w.named("cobalt-api-key"), StringData: map[string]string{"api-key": apiKey}})
	env := &v1alpha1.Environment{ObjectMeta: w.named("default")}
	env.Spec.BaseURL, env.Spec.APIKeySecretRef.Name = origin+simulator.BasePath, "cobalt-api-key"
	w.create(env)
	for _, name := range accounts {
		account := &v1alpha1.LinkedAccount{ObjectMeta: w.named(name)}
		w.create(account)
		w.ready(account)
	}
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, obj := range objects {
		w.Expect(w.Create(w.ctx, obj)).To(Succeed())
	}
}

// ready waits until objects are Ready.
func (w *world) ready(objects ...object.Object) {
	w.t.Helper()
	for _, obj := range objects {
		w.Eventually(func() string { return w.said(obj) }).Should(HavePrefix("True"), "%T %s", obj, obj.GetName())
	}
}

// said is what the Ready condition of an object says.
func (w *world) said(obj object.Object) string {
	w.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
	ready := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return ""
	}
	return string(ready.Status) + " " + ready.Reason + ": " + ready.Message
}

// holder is who holds the lease.
func (w *world) holder() string {
	found := &coordinationv1.Lease{}
	err := w.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: lease}, found)
	if err != nil || found.Spec.HolderIdentity == nil {
		return ""
	}
	return *found.Spec.HolderIdentity
}

// renewed is when the lease was renewed last.
func (w *world) renewed() time.Time {
	found := &coordinationv1.Lease{}
	w.Expect(w.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: lease}, found)).To(Succeed())
	return found.Spec.RenewTime.Time
}

// operator is one process, and its way to Cobalt.
type operator struct {
	*exec.Cmd
	w     *world
	log   string
	ended chan struct{}

	mu sync.Mutex
	// calls are those that it made.
	calls []string
	// hold tells which calls wait, after their work is done, until released is closed.
	hold     func(*http.Request) bool
	held     int
	released chan struct{}
}

// start starts an operator.
func (w *world) start(flags ...string) *operator {
	w.t.Helper()
	o := &operator{w: w, ended: make(chan struct{}), released: make(chan struct{})}
	proxy := httptest.NewServer(o)
	file, err := os.CreateTemp(w.t.TempDir(), "log")
	w.Expect(err).NotTo(HaveOccurred())
	o.log = file.Name()
	o.Cmd = exec.CommandContext(w.ctx, binary, append([]string{
		"--leader-elect", "--leader-election-namespace=" + w.namespace, "--watch-namespaces=" + w.namespace,
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--allowed-api-origins=" + origin,
	}, flags...)...)
	o.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	o.Stdout, o.Stderr = file, file
	w.Expect(o.Start()).To(Succeed())
	go func() {
		_ = o.Wait()
		close(o.ended)
	}()
	w.t.Cleanup(func() {
		_ = o.Process.Kill()
		<-o.ended
		o.release()
		proxy.Close()
		if w.t.Failed() {
			w.t.Logf("an operator made %q and said:\n%s", o.made(), o.said())
		}
	})
	return o
}

// ServeHTTP is the way to Cobalt.
func (o *operator) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.calls = append(o.calls, r.Method+" "+strings.TrimPrefix(r.URL.Path, simulator.BasePath))
	hold, released := o.hold != nil && o.hold(r), o.released
	o.mu.Unlock()
	if !hold {
		o.w.sim.ServeHTTP(rw, r)
		return
	}
	answer := httptest.NewRecorder()
	o.w.sim.ServeHTTP(answer, r)
	o.mu.Lock()
	o.held++
	o.mu.Unlock()
	<-released
	maps.Copy(rw.Header(), answer.Header())
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes())
}

// holding has calls wait from now on.
func (o *operator) holding(which func(*http.Request) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold = which
}

// waiting is how many calls wait.
func (o *operator) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held
}

// release lets all calls go.
func (o *operator) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold = nil
	select {
	case <-o.released:
	default:
		close(o.released)
	}
}

// made are the calls that the operator has made so far.
func (o *operator) made() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

// said is the log of the operator.
func (o *operator) said() string {
	text, err := os.ReadFile(o.log)
	o.w.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func (o *operator) signal(signal syscall.Signal) {
	o.w.t.Helper()
	o.w.Expect(o.Process.Signal(signal)).To(Succeed())
}

// end waits until the operator has ended, and returns its exit code.
func (o *operator) end() int {
	o.w.t.Helper()
	o.w.Eventually(o.ended).Should(BeClosed())
	return o.ProcessState.ExitCode()
}

// changing are those of some calls that change something.
func changing(calls []string) []string {
	return slices.DeleteFunc(calls, func(call string) bool { return strings.HasPrefix(call, "GET ") })
}

func changes(r *http.Request) bool { return r.Method != http.MethodGet }
