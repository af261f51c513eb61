package stories

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// stored54fcec1 is what the operator of commit 54fcec1 had left in an API server and in the simulator once everything was
// Ready. Another API server gives other uids and versions, and another simulator other ids, so these are put in anew.
//
//go:embed testdata/stored-54fcec1.json
var stored54fcec1 []byte

// stored is what an older operator has left behind. Whatever has "zero" in its name there is once in every copy.
type stored struct {
	Taken   time.Time           `json:"taken"`
	Hashes  map[string][]string `json:"hashes"` // what each hash was made of
	Sources []json.RawMessage   `json:"sources"`
	Objects []json.RawMessage   `json:"objects"`
	Cobalt  simulator.State     `json:"cobalt"`
}

func readStored(text []byte) *stored {
	GinkgoHelper()
	s := &stored{}
	Expect(json.Unmarshal(text, s)).To(Succeed())
	return s
}

// restoring puts what was stored into a world, of which one copy differs from another in its names and ids.
type restoring struct {
	*stored
	w *world
	// place is what stands for the namespace and the URL.
	place []string

	mu      sync.Mutex
	objects []client.Object
}

// restore fills a world with so many copies of what was stored. No operator may run in it.
func (s *stored) restore(w *world, copies int) []client.Object {
	GinkgoHelper()
	w.time.SetTime(s.Taken)
	w.steady.SetTime(s.Taken)
	r := &restoring{stored: s, w: w, place: []string{"@namespace@", w.namespace, "@url@", w.url}}
	r.create(strings.NewReplacer(r.place...), func(text []byte) bool { return !bytes.Contains(text, []byte("zero")) })
	numbers := make(chan int, copies)
	for number := range copies {
		numbers <- number
	}
	close(numbers)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			defer GinkgoRecover()
			for number := range numbers {
				r.copy(fmt.Sprintf("n%03d", number))
			}
		})
	}
	workers.Wait()
	return r.objects
}

// copy makes one copy: first what Cobalt has, which gives new ids, and so other hashes of them.
func (r *restoring) copy(name string) {
	GinkgoHelper()
	pairs := append(slices.Clone(r.place), "zero", name)
	pairs = append(pairs, r.fill(strings.NewReplacer("zero", name))...)
	ids := strings.NewReplacer(pairs...)
	for hash, texts := range r.Hashes {
		pairs = append(pairs, hash, rehashed(hash, texts, ids))
	}
	r.create(strings.NewReplacer(pairs...), func(text []byte) bool { return bytes.Contains(text, []byte("zero")) })
}

// rehashed is the hash of the same texts with other names and ids, made as 54fcec1 made it: of credentials with a salt that
// stands before it, of all else without.
func rehashed(hash string, texts []string, replacer *strings.Replacer) string {
	GinkgoHelper()
	digest := sha256.New()
	text, _, salted := strings.Cut(hash, ":")
	if salted {
		salt, err := hex.DecodeString(text)
		Expect(err).NotTo(HaveOccurred())
		_, _ = digest.Write(append(salt, replacer.Replace(strings.Join(texts, "\x00"))...))
		return text + ":" + hex.EncodeToString(digest.Sum(nil))
	}
	for _, text := range texts {
		text = replacer.Replace(text)
		_, _ = fmt.Fprintf(digest, "%d %s\n", len(text), text)
	}
	return hex.EncodeToString(digest.Sum(nil))[:32]
}

// create creates those of Sources and Objects that are wanted, with their statuses.
func (r *restoring) create(replacer *strings.Replacer, wanted func(text []byte) bool) {
	GinkgoHelper()
	versions := map[string]string{} // of Secrets and ConfigMaps
	var outputs []*corev1.Secret
	for _, source := range r.decode(r.Sources, replacer, wanted) {
		if secret, ok := source.(*corev1.Secret); ok && len(secret.OwnerReferences) > 0 {
			outputs = append(outputs, secret) // once its owner has a uid
			continue
		}
		r.w.create(source)
		versions[referenceTo(source)] = fmt.Sprintf("%s\x00%s", source.GetUID(), source.GetResourceVersion())
	}
	objects := r.decode(r.Objects, replacer, wanted)
	statuses := make([]client.Object, len(objects))
	uids := map[string]types.UID{}
	for i, obj := range objects {
		statuses[i] = obj.DeepCopyObject().(client.Object)
		r.createAged(obj)
		if _, ok := obj.(*v1alpha1.LinkedAccount); ok {
			uids[obj.GetName()] = obj.GetUID()
		}
	}
	written := r.output(outputs, uids)
	for i, obj := range objects {
		status := statuses[i]
		status.SetUID(obj.GetUID())
		status.SetResourceVersion(obj.GetResourceVersion())
		r.renew(status, versions, written)
		Expect(r.w.Status().Update(r.w.ctx, status)).To(Succeed())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects = append(r.objects, objects...)
}

func referenceTo(obj client.Object) string {
	kind := "ConfigMap"
	if _, ok := obj.(*corev1.Secret); ok {
		kind = "Secret"
	}
	return kind + " " + obj.GetNamespace() + "/" + obj.GetName()
}

func (r *restoring) decode(texts []json.RawMessage, replacer *strings.Replacer, wanted func([]byte) bool) []client.Object {
	GinkgoHelper()
	var objects []client.Object
	for _, text := range texts {
		if !wanted(text) {
			continue
		}
		var kind metav1.TypeMeta
		replaced := []byte(replacer.Replace(string(text)))
		Expect(json.Unmarshal(replaced, &kind)).To(Succeed())
		obj, err := r.w.Scheme().New(kind.GroupVersionKind())
		Expect(err).NotTo(HaveOccurred())
		Expect(json.Unmarshal(replaced, obj)).To(Succeed())
		objects = append(objects, obj.(client.Object))
	}
	return objects
}

// createAged creates obj and has it have the generation that it had.
func (r *restoring) createAged(obj client.Object) {
	GinkgoHelper()
	generation := obj.GetGeneration()
	member, ok := obj.(object.Object)
	if generation == 1 || !ok {
		r.w.create(obj)
		return
	}
	member.MemberSpec().Suspend = !member.MemberSpec().Suspend
	r.w.create(obj)
	r.w.change(obj, func() { member.MemberSpec().Suspend = !member.MemberSpec().Suspend })
	Expect(obj.GetGeneration()).To(Equal(generation))
}

// output creates the Secrets with session tokens, and returns their versions.
func (r *restoring) output(secrets []*corev1.Secret, uids map[string]types.UID) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for _, secret := range secrets {
		token, err := r.w.api().CreateSessionToken(r.w.ctx, secret.StringData["linked-account-id"])
		Expect(err).NotTo(HaveOccurred())
		secret.StringData["token"] = token.Token
		uid := uids[secret.OwnerReferences[0].Name]
		Expect(uid).NotTo(BeEmpty())
		secret.OwnerReferences[0].UID = uid
		r.w.create(secret)
		versions[secret.Name] = string(secret.UID) + "." + secret.ResourceVersion
	}
	return versions
}

// renew has a status refer to the present versions and the present URL, as 54fcec1 did.
func (r *restoring) renew(obj client.Object, inputs, outputs map[string]string) {
	GinkgoHelper()
	var version string
	if refs := r.references(obj); len(refs) > 0 {
		hash := sha256.New()
		for _, ref := range refs {
			Expect(inputs).To(HaveKey(ref))
			_, _ = fmt.Fprintf(hash, "%s\x00%s\n", ref, inputs[ref])
		}
		version = hex.EncodeToString(hash.Sum(nil))[:32]
	}
	switch obj := obj.(type) {
	case object.Environment:
		status := obj.EnvironmentStatus()
		salt, _, _ := strings.Cut(status.Realm, ":")
		mac := hmac.New(sha256.New, []byte(salt))
		_, _ = fmt.Fprintf(mac, "%s\x00%s", r.w.url, goodKey)
		status.Realm = salt + ":" + hex.EncodeToString(mac.Sum(nil))
	case *v1alpha1.LinkedAccount:
		obj.Status.InputsVersion = version
		if obj.Status.SessionToken != nil {
			obj.Status.SessionToken.SecretVersion = outputs[obj.Status.SessionToken.SecretName]
		}
	case *v1alpha1.IntegrationConfig:
		obj.Status.InputsVersion = version
	case *v1alpha1.EventTrigger:
		obj.Status.InputsVersion = version
	}
}

// references are the Secrets and ConfigMaps that a spec refers to, in order and each once.
func (r *restoring) references(obj client.Object) []string {
	GinkgoHelper()
	if _, ok := obj.(object.Environment); ok {
		return nil
	}
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	Expect(err).NotTo(HaveOccurred())
	found := map[string]bool{}
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, inner := range value {
				kind := map[string]string{"secretKeyRef": "Secret", "secretRef": "Secret", "configMapKeyRef": "ConfigMap"}[key]
				if kind != "" {
					found[fmt.Sprintf("%s %s/%s", kind, r.w.namespace, inner.(map[string]any)["name"])] = true
				}
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	walk(spec["spec"])
	return slices.Sorted(maps.Keys(found))
}
