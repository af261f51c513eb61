package testenv

import (
	"net/http"
	"path"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// Reads counts the requests for single objects of whoever uses one configuration, by path.
type Reads struct {
	mu     sync.Mutex
	counts map[string]int
}

// Of is how often an object of the core API was read.
func (r *Reads) Of(resource, namespace, name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[path.Join("/api/v1/namespaces", namespace, resource, name)]
}

// Counted is a configuration of the same API server whose reads are counted.
func (r *Reads) Counted(config *rest.Config) *rest.Config {
	counted := rest.CopyConfig(config)
	counted.Wrap(func(next http.RoundTripper) http.RoundTripper { return readTransport{r, next} })
	return counted
}

type readTransport struct {
	reads *Reads
	next  http.RoundTripper
}

func (t readTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet && strings.HasPrefix(request.URL.Path, "/api/v1/namespaces/") {
		t.reads.count(request.URL.Path)
	}
	return t.next.RoundTrip(request)
}

func (r *Reads) count(read string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	r.counts[read]++
}
