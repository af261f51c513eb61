package inputs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sources remembers facts of the contents of Secrets and ConfigMaps, so that a version of one
// is read once for all objects that use it and not for each.
type sources struct {
	contents client.Reader

	mu    sync.Mutex
	known map[Reference]*knownSource
	// size is how many keys there are facts of, most how many at most.
	size, most int
}

// mostFacts is of how many keys facts are kept, which take some 60 bytes each.
const mostFacts = 50_000

// knownSource is what is known of one; the mutex has all who ask wait for the same read.
type knownSource struct {
	mu sync.Mutex
	// asked is the version for which it was read, read the version that there was by then.
	asked, read string
	facts       facts
}

// facts stand for a content without telling it, in fixed size.
type facts struct {
	exists bool
	uid    types.UID
	all    sum128
	keys   map[sum128]sum128
}

// sum128 stands for a text.
type sum128 [16]byte

func sumOf(text []byte) sum128 {
	sum := sha256.Sum256(text)
	return sum128(sum[:len(sum128{})])
}

func newSources(contents client.Reader) *sources {
	return &sources{contents: contents, known: map[Reference]*knownSource{}, most: mostFacts}
}

// sourceVersion is the version of a Secret or ConfigMap; the same for all that do not exist. Statuses hold hashes of it.
func sourceVersion(meta metav1.Object) string {
	return string(meta.GetUID()) + "\x00" + meta.GetResourceVersion()
}

// of returns the facts of a version, which it reads if nobody has asked for that before. Where
// there is a newer one by now, they are of that one.
func (s *sources) of(ctx context.Context, ref Reference, version string) (facts, error) {
	known := s.entry(ref)
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.asked == version || known.read == version {
		return known.facts, nil
	}
	read, err := readSource(ctx, s.contents, ref)
	if err != nil {
		return facts{}, err
	}
	before := len(known.facts.keys)
	known.asked, known.read, known.facts = version, sourceVersion(&read.ObjectMeta), read.facts()
	s.grew(ref, known, len(known.facts.keys)-before)
	return known.facts, nil
}

func (s *sources) entry(ref Reference) *knownSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known[ref]
	if known == nil {
		known = &knownSource{}
		s.known[ref] = known
		s.size++
	}
	return known
}

// grew keeps the size bounded: where it grows too large, all but the latest are forgotten, and
// read again when they change; one that is too large by itself is not kept at all.
func (s *sources) grew(ref Reference, latest *knownSource, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[ref] == latest {
		s.size += by
	}
	if s.size <= s.most {
		return
	}
	clear(s.known)
	s.size = 0
	if size := len(latest.facts.keys) + 1; size <= s.most {
		s.known[ref], s.size = latest, size
	}
}

// facts are those of a content that was read.
func (s source) facts() facts {
	found := facts{exists: s.Name != "", uid: s.UID, keys: make(map[sum128]sum128, len(s.data))}
	all := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(s.data)) {
		name, value := sumOf([]byte(key)), sumOf(s.data[key])
		found.keys[name] = value
		_, _ = all.Write(append(name[:], value[:]...))
	}
	found.all = sum128(all.Sum(nil)[:len(sum128{})])
	return found
}

// describe says what a key holds; another thing if there is no such key, and if it moved to
// another object of the same name.
func (f facts) describe(use Use) string {
	value, ok := f.keys[sumOf([]byte(use.Key))]
	if use.Key == "" {
		value, ok = f.all, f.exists
	}
	return fmt.Sprintf("%s\x00%s\x00%s\x00%t\x00%x\n", use.Reference, f.uid, use.Key, ok, value)
}
