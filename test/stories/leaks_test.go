package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// secret finds what no story may read anywhere but in a Secret: API keys and whatever
// else the Secrets of stories hold, which all say hunter2, session tokens, and links to
// portals.
var secret = regexp.MustCompile(`hunter2|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|portal\.cobalt-simulator\.invalid/`)

// watchedLog passes the log on, and keeps the lines that have a secret in them.
type watchedLog struct {
	io.Writer
	mu    sync.Mutex
	leaks []string
}

func (l *watchedLog) Write(line []byte) (int, error) {
	if secret.Match(line) {
		l.mu.Lock()
		l.leaks = append(l.leaks, string(line))
		l.mu.Unlock()
	}
	return l.Writer.Write(line)
}

// operatorLog is that of all operators.
var operatorLog = &watchedLog{Writer: GinkgoWriter}

// watchedSpans keeps of the spans that end only the texts that have a secret in them.
type watchedSpans struct {
	mu    sync.Mutex
	ended int
	leaks []string
}

func (w *watchedSpans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (w *watchedSpans) OnEnd(span sdktrace.ReadOnlySpan) {
	text := fmt.Sprint(span.Name(), span.Status(), span.Attributes(), span.Events(), span.Links())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended++
	if secret.MatchString(text) {
		w.leaks = append(w.leaks, text)
	}
}

// any tells whether there were spans at all.
func (w *watchedSpans) any() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended > 0
}

func (w *watchedSpans) Shutdown(context.Context) error   { return nil }
func (w *watchedSpans) ForceFlush(context.Context) error { return nil }

// operatorSpans are those of all operators, which make them with operatorTracer.
var (
	operatorSpans  = &watchedSpans{}
	operatorTracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(operatorSpans)).Tracer("stories")
)

// leaksNothing reads all that the operator has written where people can read it.
func (w *world) leaksNothing() {
	GinkgoHelper()
	for _, list := range kinds() {
		Expect(w.List(w.ctx, list, client.InNamespace(w.namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(item runtime.Object) error {
			text, err := json.Marshal(written(item.(client.Object)))
			if found := secret.FindString(string(text)); found != "" {
				err = fmt.Errorf("%q is in %s", found, text)
			}
			return err
		})).To(Succeed())
	}
	for _, text := range w.allEvents() {
		Expect(secret.FindString(text)).To(BeEmpty(), text)
	}
	metricsLeakNothing(w.options.Metrics.(prometheus.Gatherer))
	w.secretsAreFound()
	Expect(len(w.sim.Log()) > 0 && !operatorSpans.any()).To(BeFalse(), "nothing was traced")
}

// secretsAreFound makes sure that what the Secrets hold would be.
func (w *world) secretsAreFound() {
	GinkgoHelper()
	secrets := &corev1.SecretList{}
	Expect(w.List(w.ctx, secrets, client.InNamespace(w.namespace))).To(Succeed())
	for _, held := range secrets.Items {
		for key, value := range held.Data {
			if slices.Contains(valuesOfNoSecret, key) {
				continue
			}
			Expect(secret.Match(value)).To(BeTrue(), "a leak of key %s of Secret %s would not be found: %s", key, held.Name, value)
		}
	}
}

// valuesOfNoSecret are the keys of output Secrets under which nothing is hidden.
var valuesOfNoSecret = []string{"linked-account-id", "expires-at"}

func metricsLeakNothing(gatherer prometheus.Gatherer) {
	GinkgoHelper()
	families, err := gatherer.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		Expect(secret.FindString(family.String())).To(BeEmpty(), family.GetName())
	}
}

// suiteLeaksNothing reads what all operators share: metrics, the log and traces.
func suiteLeaksNothing() {
	GinkgoHelper()
	metricsLeakNothing(metrics.Registry)
	operatorLog.mu.Lock()
	defer operatorLog.mu.Unlock()
	Expect(operatorLog.leaks).To(BeEmpty(), "the log")
	operatorSpans.mu.Lock()
	defer operatorSpans.mu.Unlock()
	Expect(operatorSpans.leaks).To(BeEmpty(), "spans")
}

// written is what the operator writes into an object; the spec is the user's.
func written(obj client.Object) []any {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	Expect(err).NotTo(HaveOccurred())
	ours := map[string]string{}
	for key, value := range obj.GetAnnotations() {
		if strings.HasPrefix(key, "cobalt.gocobalt.io/") {
			ours[key] = value
		}
	}
	return []any{content["status"], ours, obj.GetLabels(), obj.GetFinalizers()}
}
