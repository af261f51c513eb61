package inputs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// countedReader counts reads.
type countedReader struct {
	client.Reader
	reads atomic.Int64
}

func (r *countedReader) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	r.reads.Add(1)
	return r.Reader.Get(ctx, key, obj, opts...)
}

// inputsWorld is a store over one Secret, named shared.
type inputsWorld struct {
	Store

	t      *testing.T
	server client.Client
	reads  *countedReader
}

func newInputsWorld(t *testing.T, data map[string][]byte) *inputsWorld {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shared", UID: "uid-1"}, Data: data}
	server := fake.NewClientBuilder().WithObjects(secret).Build()
	reads := &countedReader{Reader: server}
	return &inputsWorld{NewStore(server, reads), t, server, reads}
}

// change changes the Secret.
func (w *inputsWorld) change(mutate func(*corev1.Secret)) {
	w.t.Helper()
	secret := &corev1.Secret{}
	if err := w.server.Get(w.t.Context(), types.NamespacedName{Namespace: "default", Name: "shared"}, secret); err != nil {
		w.t.Fatal(err)
	}
	mutate(secret)
	if err := w.server.Update(w.t.Context(), secret); err != nil {
		w.t.Fatal(err)
	}
}

func (w *inputsWorld) annotate(text string) {
	w.t.Helper()
	w.change(func(secret *corev1.Secret) { secret.Annotations = map[string]string{"a": text} })
}

// looked is what is found out about an object.
func (w *inputsWorld) looked(obj object.Object, uses []Use, known Used) Used {
	w.t.Helper()
	used, err := w.Look(w.t.Context(), obj, uses, known)
	if err != nil {
		w.t.Fatal(err)
	}
	return used
}

// reported has a status speak of an edition, as a run that read everything does.
func (w *inputsWorld) reported(obj object.Object, uses []Use, used Used) Used {
	w.t.Helper()
	reader := w.Open()
	for _, use := range uses {
		if _, err := reader.All(w.t.Context(), use.Reference); err != nil {
			w.t.Fatal(err)
		}
	}
	used.Learn(uses, reader, true)
	StatusOf(obj).InputsVersion = used.Told
	return w.Record(w.t.Context(), obj, uses, used, reader)
}

func usesOf(keys ...string) []Use {
	var uses []Use
	for _, key := range keys {
		uses = append(uses, Use{Reference{KindSecret, "default", "shared"}, key})
	}
	return uses
}

// TestChangesOfWhatIsUsed: only a change of the keys that an object uses is another edition.
func TestChangesOfWhatIsUsed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		uses    []Use
		change  func(*corev1.Secret)
		another bool
	}{
		"Annotation":   {"nothing is used of that", usesOf("a"), func(s *corev1.Secret) { s.Annotations = map[string]string{"x": "y"} }, false},
		"Unused":       {"another uses it", usesOf("a"), func(s *corev1.Secret) { s.Data["b"] = []byte("other") }, false},
		"Used":         {"it must reach Cobalt", usesOf("b", "a"), func(s *corev1.Secret) { s.Data["a"] = []byte("other") }, true},
		"Added":        {"nobody asks for it", usesOf("a"), func(s *corev1.Secret) { s.Data["c"] = nil }, false},
		"AddedToAll":   {"all keys are used", usesOf(""), func(s *corev1.Secret) { s.Data["c"] = nil }, true},
		"OfAll":        {"all keys are used", usesOf(""), func(s *corev1.Secret) { s.Annotations = map[string]string{"x": "y"} }, false},
		"Removed":      {"it must be said", usesOf("a"), func(s *corev1.Secret) { delete(s.Data, "a") }, true},
		"Emptied":      {"empty is a value", usesOf("a"), func(s *corev1.Secret) { s.Data["a"] = nil }, true},
		"Exchanged":    {"both are used", usesOf("a", "b"), func(s *corev1.Secret) { s.Data["a"], s.Data["b"] = s.Data["b"], s.Data["a"] }, true},
		"StillMissing": {"it waits for that key", usesOf("none"), func(s *corev1.Secret) { s.Data["c"] = []byte("other") }, false},
		"Appears":      {"it waits for that key", usesOf("none"), func(s *corev1.Secret) { s.Data["none"] = nil }, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, obj := newInputsWorld(t, map[string][]byte{"a": []byte("1"), "b": []byte("2")}), &v1alpha1.IntegrationConfig{}
			used := w.reported(obj, tc.uses, w.looked(obj, tc.uses, Used{}))
			w.change(tc.change)
			for restarted, known := range map[bool]Used{false: used, true: {}} {
				now := w.looked(obj, tc.uses, known)
				if another := now.Edition != known.Edition || !now.IsIn(obj); another != tc.another {
					t.Errorf("%s: another edition: %t, after a restart: %t", tc.reason, another, restarted)
				}
			}
		})
	}
}

// TestAVersionIsReadOnceForAll who use it, also at once and by an operator that was just started.
func TestAVersionIsReadOnceForAll(t *testing.T) {
	t.Parallel()
	const count = 300
	w := newInputsWorld(t, map[string][]byte{"a": []byte("1"), "b": []byte("2")})
	objects, known := make([]*v1alpha1.LinkedAccount, count), make([]Used, count)
	for i := range objects {
		objects[i] = &v1alpha1.LinkedAccount{}
		known[i] = w.reported(objects[i], usesOf("a"), w.looked(objects[i], usesOf("a"), Used{}))
	}
	for _, restarted := range []bool{false, true, false} {
		w.annotate(fmt.Sprint("a", restarted))
		if restarted {
			w.sources, known = newSources(w.reads), make([]Used, count)
		}
		before := w.reads.reads.Load()
		var all sync.WaitGroup
		for i, obj := range objects {
			all.Go(func() {
				if now := w.looked(obj, usesOf("a"), known[i]); !now.IsIn(obj) {
					t.Error("a status does not speak of what is still the same")
				} else {
					known[i] = now
				}
			})
		}
		all.Wait()
		for i, obj := range objects { // nothing more until the next version
			w.looked(obj, usesOf("a"), known[i])
		}
		if reads := w.reads.reads.Load() - before; reads != 1 {
			t.Errorf("%d reads after a restart (%t), want 1", reads, restarted)
		}
	}
}

// TestStatusesOfOlderVersionsCount: they have no hash, and what versions stand for is what it was.
func TestStatusesOfOlderVersionsCount(t *testing.T) {
	t.Parallel()
	w, obj, uses := newInputsWorld(t, map[string][]byte{"a": []byte("1")}), &v1alpha1.EventTrigger{}, usesOf("a")
	text := sha256.Sum256([]byte("Secret default/shared\x00uid-1\x00999\n"))
	obj.Status.InputsVersion = hex.EncodeToString(text[:])[:32]
	used := w.looked(obj, uses, Used{})
	if used.Edition != 0 || !used.IsIn(obj) || w.reads.reads.Load() != 0 {
		t.Error("an upgrade is taken for a change, or reads")
	}
	w.annotate("b")
	if used = w.looked(obj, uses, used); used.Edition == 0 || w.reads.reads.Load() != 0 {
		t.Error("nothing tells that it is the same, and nothing has to be read to know that")
	}
}

// TestInputsAreRecordedWithWhatIsWrittenAnyway, and only where the status speaks of the same edition.
func TestInputsAreRecordedWithWhatIsWrittenAnyway(t *testing.T) {
	t.Parallel()
	w, obj, uses := newInputsWorld(t, map[string][]byte{"a": []byte("1")}), &v1alpha1.EventTrigger{}, usesOf("a")
	used := w.reported(obj, uses, w.looked(obj, uses, Used{}))
	obj.Status.History = []v1alpha1.TriggerRun{{ExecutionID: "1", InputsVersion: used.Told}}
	recorded := obj.Status.InputsHash
	w.annotate("b")
	used = w.looked(obj, uses, used)
	if used.version == used.Told || obj.Status.InputsVersion != used.Told {
		t.Fatal("the status is changed by a look")
	}
	used = w.Record(t.Context(), obj, uses, used, w.Open())
	if status := obj.Status; status.InputsVersion != used.version || status.InputsHash != recorded || status.History[0].InputsVersion != used.version {
		t.Errorf("the newest version is not everywhere: %+v", status)
	}
	w.change(func(s *corev1.Secret) { s.Data["a"] = []byte("2") })
	before := obj.DeepCopy()
	w.Record(t.Context(), obj, uses, w.looked(obj, uses, used), w.Open())
	if obj.Status.InputsVersion != before.Status.InputsVersion {
		t.Error("the status speaks of what nothing has come of yet")
	}
}

// TestWhatAPassHasUsedCounts: a content may be newer than the version that the cache knows.
func TestWhatAPassHasUsedCounts(t *testing.T) {
	t.Parallel()
	for well, another := range map[bool]bool{true: false, false: true} {
		w, obj, uses := newInputsWorld(t, map[string][]byte{"a": []byte("1")}), &v1alpha1.LinkedAccount{}, usesOf("a")
		used := w.reported(obj, uses, w.looked(obj, uses, Used{}))
		w.change(func(s *corev1.Secret) { s.Data["a"] = []byte("2") })
		reader := w.Open()
		if _, err := reader.All(t.Context(), uses[0].Reference); err != nil {
			t.Fatal(err)
		}
		used.Learn(uses, reader, well)
		if now := w.looked(obj, uses, used); (now.Edition != used.Edition) != another {
			t.Errorf("a run that ended well (%t) with the new content is to be repeated: %t", well, !another)
		}
	}
}

// TestHashesTellNoShortValues: whoever reads a status may know all of a Secret but one digit and its uid, which stands
// nowhere else.
func TestHashesTellNoShortValues(t *testing.T) {
	t.Parallel()
	w, obj, uses := newInputsWorld(t, map[string][]byte{"pin": []byte("7")}), &v1alpha1.IntegrationConfig{}, usesOf("pin")
	w.reported(obj, uses, w.looked(obj, uses, Used{}))
	other := &v1alpha1.IntegrationConfig{}
	w.reported(other, uses, w.looked(other, uses, Used{}))
	if obj.Status.InputsHash == other.Status.InputsHash {
		t.Error("two statuses tell that they stand for the same")
	}
	guess := source{metav1.ObjectMeta{Name: "shared"}, nil}
	for digit := range 10 {
		guess.data = map[string][]byte{"pin": fmt.Append(nil, digit)}
		if hash.Matches(obj.Status.InputsHash, "", []byte(guess.facts().describe(uses[0]))) {
			t.Errorf("%d was guessed", digit)
		}
	}
	if guess.UID = "uid-1"; !hash.Matches(obj.Status.InputsHash, "", []byte(source{guess.ObjectMeta, map[string][]byte{"pin": []byte("7")}}.facts().describe(uses[0]))) {
		t.Error("the guesses are not made as the hash is")
	}
}

// TestFactsAreBounded: whoever may create Secrets cannot make the operator keep as much as they hold.
func TestFactsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 400
	data := map[string][]byte{}
	for i := range most / 4 {
		data[fmt.Sprintf("key-%d", i)] = []byte(strings.Repeat("x", 40))
	}
	server := fake.NewClientBuilder().Build()
	reads := &countedReader{Reader: server}
	known := newSources(reads)
	known.most = most
	ask := func(name, version string) {
		t.Helper()
		if _, err := known.of(t.Context(), Reference{KindSecret, "default", name}, version); err != nil {
			t.Fatal(err)
		}
	}
	kept := func() (size int) {
		for _, one := range known.known {
			size += len(one.facts.keys) + 1
		}
		return size
	}
	for i := range 9 {
		name := fmt.Sprint("s", i)
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)}, Data: data}
		if err := server.Create(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		ask(name, "1")
		if size := kept(); size > most || size != known.size {
			t.Fatalf("facts of %d keys are kept, %d by its own count", size, known.size)
		}
	}
	before := reads.reads.Load()
	ask("s8", "1")
	if reads.reads.Load() != before {
		t.Error("the latest is read again")
	}
}
