package testenv

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// behind is how far a cache is that lists from an API server which has not heard of
// the latest yet.
type behind struct {
	was      client.Object
	caughtUp chan struct{}
}

// Behind has the caches that begin from now on list an object as it was, and learn
// nothing new of its kind until CatchUp. The object must tell its kind.
func (l *Laggard) Behind(was client.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = &behind{was: was, caughtUp: make(chan struct{})}
}

// CatchUp has caches that are behind learn what they have missed.
func (l *Laggard) CatchUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.behind.caughtUp)
	l.behind = nil
}

// listed is how far behind the answer to a request for a list and a watch is.
func (l *Laggard) listed(request *http.Request) *behind {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.behind == nil {
		return nil
	}
	namespace := l.behind.was.GetNamespace()
	if namespace != "" && !strings.Contains(request.URL.Path, "/namespaces/"+namespace+"/") {
		return nil
	}
	return l.behind
}

// past makes a list one that is behind.
type past struct {
	*behind
	// is what the object has become, if it is still there.
	is runtime.RawExtension
}

// replay returns what a cache that is behind gets instead of a line of the list, and
// what it gets when it catches up.
func (p *past) replay(line []byte) (now, then []byte) {
	var event metav1.WatchEvent
	var about metav1.PartialObjectMetadata
	decode(line, &event)
	decode(event.Object.Raw, &about)
	switch {
	case about.Kind != p.was.GetObjectKind().GroupVersionKind().Kind:
	case about.UID == p.was.GetUID():
		p.is = event.Object
		return p.added(), nil
	case isEndOfList(line) && p.is.Raw == nil:
		gone := p.was.DeepCopyObject().(client.Object)
		gone.SetResourceVersion(about.ResourceVersion)
		return append(p.added(), line...), encode(watch.Deleted, gone)
	case isEndOfList(line):
		return line, encode(watch.Modified, p.is)
	}
	return line, nil
}

func (p *past) added() []byte { return encode(watch.Added, p.was) }

func isEndOfList(line []byte) bool {
	return bytes.Contains(line, []byte(metav1.InitialEventsAnnotationKey))
}

// encode makes a line of a watch.
func encode(happened watch.EventType, object any) []byte {
	raw, err := json.Marshal(object)
	if err != nil {
		panic(err) // it came as JSON
	}
	line, err := json.Marshal(metav1.WatchEvent{Type: string(happened), Object: runtime.RawExtension{Raw: raw}})
	if err != nil {
		panic(err)
	}
	return append(line, '\n')
}

func decode(text []byte, into any) {
	if err := json.Unmarshal(text, into); err != nil {
		panic(err) // of an API server that breaks its own protocol, nothing can be tested
	}
}
