package testenv

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Writes counts the requests of one client that change something, by resource, whatever others write to the same
// API server. Those to a subresource count for the resource, and those that are refused count too.
type Writes struct {
	mu     sync.Mutex
	counts map[schema.GroupResource]int
}

// Of is how many requests to a resource there were.
func (w *Writes) Of(group, resource string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[schema.GroupResource{Group: group, Resource: resource}]
}

// Counted is a client of the same API server whose writes are counted.
func (w *Writes) Counted(c *http.Client) *http.Client {
	counted := *c
	counted.Transport = countedTransport{w, c.Transport}
	return &counted
}

type countedTransport struct {
	writes *Writes
	next   http.RoundTripper
}

func (t countedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		t.writes.count(request.URL.Path)
	}
	return t.next.RoundTrip(request)
}

func (w *Writes) count(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts == nil {
		w.counts = map[schema.GroupResource]int{}
	}
	w.counts[resourceOf(path)]++
}

// resourceOf is what a request to the API server is about: its path is /api/VERSION or /apis/GROUP/VERSION, then
// /namespaces/NAMESPACE unless the resource is of the whole cluster, then /RESOURCE.
func resourceOf(path string) schema.GroupResource {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var group string
	if parts[0] == "apis" && len(parts) > 1 {
		group, parts = parts[1], parts[1:]
	}
	parts = parts[min(2, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" && !slices.Contains([]string{"status", "finalize"}, parts[2]) {
		parts = parts[2:]
	}
	if len(parts) == 0 {
		return schema.GroupResource{Group: group}
	}
	return schema.GroupResource{Group: group, Resource: parts[0]}
}
