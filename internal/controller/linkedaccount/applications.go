package linkedaccount

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// observeApplications puts the applications that the customer has connected
// into the status, if spec asks for it. A call that fails leaves there what was
// seen before.
func observeApplications(ctx context.Context, api *cobalt.Client, reader *inputs.Reader, obj *v1alpha1.LinkedAccount) error {
	if !slices.Contains(obj.Spec.Observe, v1alpha1.LinkedAccountObserveApplications) {
		obj.Status.Applications = nil
		return nil
	}
	seen, err := connected(reader, api.ListApplications(ctx, obj.AccountID()))
	if err != nil {
		return fmt.Errorf("observe applications: %w", err)
	}
	obj.Status.Applications = seen
	return nil
}

// connected are the connected ones among applications.
func connected(reader *inputs.Reader, applications iter.Seq2[cobalt.Application, error]) ([]v1alpha1.ConnectedApplication, error) {
	list := few[v1alpha1.ConnectedApplication]{most: mostApplications, key: func(a v1alpha1.ConnectedApplication) string { return a.Slug }}
	for a, err := range applications {
		switch {
		case err != nil:
			return nil, err
		case a.Connected != nil && *a.Connected && a.Slug != "" && len(a.Slug) <= longestText:
			list.add(v1alpha1.ConnectedApplication{Slug: a.Slug, Name: redact.CutCharacters(reader.Redact(a.Name), longestText)})
		}
	}
	return list.kept, nil
}

// mostApplications is how many connected applications status can list, longestText how long
// their names are.
const (
	mostApplications = 50
	longestText      = 256
)

// few keeps the first of what Cobalt tells, by key and each key once, so that it does not
// depend on the order in which it is told, nor take more memory than what is kept.
type few[V any] struct {
	most int
	key  func(V) string
	kept []V
}

func (f *few[V]) add(value V) {
	at, known := slices.BinarySearchFunc(f.kept, f.key(value), func(kept V, key string) int {
		return strings.Compare(f.key(kept), key)
	})
	if known {
		return
	}
	f.kept = slices.Insert(f.kept, at, value)
	f.kept = f.kept[:min(len(f.kept), f.most)]
}
