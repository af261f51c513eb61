package stories

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// errDead is what an operator gets that died: it has no say any more.
var errDead = errors.New("the operator is dead")

// death is the point at which an operator dies; the zero death is none.
type death struct {
	// afterWrite and atCall are the ones to die of, 0 for none; worked tells whether
	// Cobalt does what the call asks for.
	afterWrite, atCall int
	worked             bool
	// refused and unanswered are writes that it survives: the API server does not do
	// the one, and the answer to the other is lost.
	refused, unanswered int
}

// errUnanswered is what an operator gets of a write whose answer is lost.
var errUnanswered = errors.New("the connection broke")

// deaths counts the operators that have died.
var deaths atomic.Int64

// doom kills an operator at one point: after one of its writes to the API server,
// or at one of its calls to Cobalt. From then on nothing that it does counts. The
// zero doom lets it live and counts what it does.
type doom struct {
	mu sync.Mutex
	// acts are those since it was armed.
	acts
	armed bool
	of    death
	dead  bool
	// underway are writes and calls that have begun.
	underway int
	// seen are the versions that writes have led to, the newest last, since it was last
	// armed; one that never was records none.
	records bool
	seen    []client.Object
	// after is told what each write leads to, forbidden tells which ones are forbidden; nil for none.
	after     func(client.Object)
	forbidden func(client.Object) bool
	// onTheWay changes the operator's calls as a proxy may; nil changes nothing.
	onTheWay func(*http.Request)
	// told tells whether the status told of an effect when the operator had died.
	told bool
}

// arm begins to count, and sets what to die of.
func (d *doom) arm(of death) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.records = true
	d.armed, d.dead, d.acts, d.seen, d.of = true, false, acts{}, nil, of
}

// spare lets the next operator live.
func (d *doom) spare() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed, d.dead = false, false
}

// afterWrites has do see what each write leads to, before the operator does.
func (d *doom) afterWrites(do func(client.Object)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.after = do
}

// changeCalls has do change each call on its way to Cobalt; nil for none.
func (d *doom) changeCalls(do func(*http.Request)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onTheWay = do
}

// forbid has the API server refuse those writes, as a quota does.
func (d *doom) forbid(forbidden func(client.Object) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forbidden = forbidden
}

func (d *doom) counted() acts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return acts{d.writes, slices.Clone(d.calls)}
}

func (d *doom) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// died tells whether the operator has died when all is over that it began.
func (d *doom) died() bool {
	GinkgoHelper()
	Eventually(func() int {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.underway
	}).Should(BeZero())
	if d.isDead() {
		deaths.Add(1)
		return true
	}
	return false
}

// write does a write of the operator, if it is alive. It is dead before anybody can
// see the write that it dies after.
func (d *doom) write(obj client.Object, do func(client.Object) error) error {
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return errDead
	}
	if d.forbidden != nil && d.forbidden(obj) {
		d.mu.Unlock()
		return apierrors.NewForbidden(schema.GroupResource{}, obj.GetName(), errors.New("exceeded quota"))
	}
	var refused, unanswered bool
	if d.armed {
		d.writes++
		d.dead = d.writes == d.of.afterWrite
		refused, unanswered = d.writes == d.of.refused, d.writes == d.of.unanswered
	}
	last := d.dead
	d.underway++
	d.mu.Unlock()
	defer d.ended()
	if refused {
		return apierrors.NewServiceUnavailable("no leader")
	}
	if unanswered {
		obj = obj.DeepCopyObject().(client.Object) // the operator does not see what becomes of it
	}
	err := do(obj)
	d.mu.Lock()
	after := d.after
	if err == nil && d.records {
		d.seen = append(d.seen, obj.DeepCopyObject().(client.Object))
	}
	d.mu.Unlock()
	if err != nil {
		return err
	}
	if after != nil {
		after(obj)
	}
	switch {
	case last:
		return errDead
	case unanswered:
		return errUnanswered
	}
	return nil
}

// ended tells that a write or a call is over.
func (d *doom) ended() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underway--
}

// versions are those of an object since the operator began to act, from what it was before, unless it was made only then.
func (d *doom) versions(was, is client.Object) []client.Object {
	d.mu.Lock()
	defer d.mu.Unlock()
	versions := append([]client.Object{was, is}, d.seen...)
	return slices.DeleteFunc(versions, func(version client.Object) bool { return version.GetUID() != is.GetUID() })
}

// around lets calls through to Cobalt, if the operator is alive.
func (d *doom) around(api http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		byOperator := r.UserAgent() == "stories"
		if byOperator && d.armed && !d.dead {
			d.calls = append(d.calls, r.Method != http.MethodGet)
		}
		last := byOperator && !d.dead && d.armed && len(d.calls) == d.of.atCall
		gone := byOperator && d.dead
		d.dead = d.dead || last
		d.underway++
		if byOperator && d.onTheWay != nil {
			d.onTheWay(r)
		}
		d.mu.Unlock()
		defer d.ended()
		if last && d.of.worked {
			api.ServeHTTP(httptest.NewRecorder(), r)
		}
		if last || gone {
			panic(http.ErrAbortHandler)
		}
		api.ServeHTTP(rw, r)
	})
}

// client is what the operator reads and writes Kubernetes through.
func (d *doom) client(config *rest.Config, options client.Options) (client.Client, error) {
	direct, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(direct, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return d.write(obj, func(obj client.Object) error { return c.Create(ctx, obj, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			return d.write(obj, func(obj client.Object) error { return c.Update(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return d.write(obj, func(obj client.Object) error { return c.Delete(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return d.write(obj, func(obj client.Object) error { return c.Patch(ctx, obj, patch, opts...) })
		},
		SubResourcePatch: func(
			ctx context.Context, c client.Client, name string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
		) error {
			return d.write(obj, func(obj client.Object) error { return c.SubResource(name).Patch(ctx, obj, patch, opts...) })
		},
	}), nil
}
