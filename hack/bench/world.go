package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/hack/children"
)

// bench is what all parts share.
type bench struct {
	options options
	group   *children.Group
	report  *report
	plane   *children.ControlPlane // of the part that is under way, as is seen
	seen    *seen
	started int // operators and bare clients so far
}

// process is the operator or the bare client.
type process struct {
	*children.Child

	began  time.Time
	health string // of the operator: host and port
}

// afresh has something done on a control plane that is warm and has nothing of what others have left behind, which would
// make it slower.
func (b *bench) afresh(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		dir, err := os.MkdirTemp(b.group.Dir, "plane-")
		if err != nil {
			return err
		}
		if b.plane, err = children.StartControlPlane(dir, b.options.Sources); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.plane.Stop()) }()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if b.seen, err = observe(ctx, b.plane); err != nil {
			return err
		}
		if _, err := b.run(ctx, "warm-up", b.options.few/5, b.bare); err != nil {
			return err
		}
		return do(ctx)
	}
}

// operate starts the operator for one namespace.
func (b *bench) operate(ctx context.Context, namespace string, apis []*api, flags ...string) (*process, error) {
	health, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	var origins []string
	for _, at := range apis {
		origins = append(origins, at.origin)
	}
	flags = append([]string{
		"--watch-namespaces=" + namespace, "--allowed-api-origins=" + strings.Join(origins, ","),
		"--metrics-bind-address=0", "--health-probe-bind-address=" + health,
	}, flags...)
	p, err := b.start(ctx, "operator", b.options.manager, flags...)
	if err == nil {
		p.health = health
	}
	return p, err
}

// bare starts the bare client for one namespace.
func (b *bench) bare(ctx context.Context, namespace string, at *api) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return b.start(ctx, "bare-client", self, bareCommand, "-namespace="+namespace, "-origin="+at.origin)
}

func (b *bench) start(ctx context.Context, name, binary string, args ...string) (*process, error) {
	b.started++
	p := &process{began: time.Now()}
	var err error
	p.Child, err = b.group.Start(ctx, fmt.Sprintf("%s-%d", name, b.started), []string{"KUBECONFIG=" + b.plane.OperatorConfig}, binary, args...)
	return p, err
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// isReady waits until the operator says so itself.
func (p *process) isReady(ctx context.Context) error {
	return until(ctx, time.Minute, func() bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.health+"/readyz", http.NoBody)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
}

// allowElection lets the operator elect leaders in a namespace, as it may in its own in a cluster.
func (b *bench) allowElection(ctx context.Context, namespace string) error {
	text, err := os.ReadFile(b.options.leaderRole)
	if err != nil {
		return err
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		return fmt.Errorf("%s: %w", b.options.leaderRole, err)
	}
	role.Namespace = namespace
	binding := rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "cobalt-operator"}},
	}
	return errors.Join(b.plane.Client.Create(ctx, &role), b.plane.Client.Create(ctx, &binding))
}

// leads waits until an operator that elects in a namespace leads.
func (b *bench) leads(ctx context.Context, namespace string) error {
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: namespace, Name: "cobalt-operator.gocobalt.io"}
	return until(ctx, time.Minute, func() bool {
		err := b.plane.Client.Get(ctx, key, lease)
		return err == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != ""
	})
}

// counts are writes by resource.
type counts map[schema.GroupResource]int

func (b *bench) writes(ctx context.Context) (counts, error) {
	return writesSoFar(ctx, b.plane.Config)
}

var eventResource = schema.GroupResource{Group: "events.k8s.io", Resource: "events"}

// since returns what was written after an earlier count.
func (c counts) since(earlier counts) counts {
	rest := counts{}
	for resource, count := range c {
		rest[resource] = count - earlier[resource]
	}
	return rest
}

// of counts the writes to one of our resources.
func (c counts) of(resource string) int {
	return c[schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: resource}]
}

// objects counts all writes to our objects and to Secrets.
func (c counts) objects() int {
	sum := c[schema.GroupResource{Resource: "secrets"}]
	for resource, count := range c {
		if resource.Group == v1alpha1.GroupVersion.Group {
			sum += count
		}
	}
	return sum
}
