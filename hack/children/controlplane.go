package children

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// ControlPlane is etcd and kube-apiserver with the CRDs installed.
type ControlPlane struct {
	Config         *rest.Config
	Client         client.Client
	Kubectl        string
	Kubeconfig     string // of an administrator
	OperatorConfig string // of the operator, with the rights it has in a cluster

	env *envtest.Environment
}

// Sources are the files that a control plane is made from.
type Sources struct {
	Assets string // folder of kube-apiserver, etcd and kubectl
	CRDs   string // folder of the CRDs to install
	Role   string // the ClusterRole that the operator runs with
}

// Bind has the flags of a program fill in the sources.
func (s *Sources) Bind(flags *flag.FlagSet) {
	flags.StringVar(&s.Assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "folder of kube-apiserver, etcd and kubectl")
	flags.StringVar(&s.CRDs, "crds", "config/crd/bases", "folder of the CRDs to install")
	flags.StringVar(&s.Role, "role", "config/rbac/role.yaml", "the ClusterRole the operator runs with")
}

// StartControlPlane starts etcd and kube-apiserver, with everything they write below dir.
func StartControlPlane(dir string, from Sources) (*ControlPlane, error) {
	assets, err := filepath.Abs(from.Assets)
	if err != nil {
		return nil, err
	}
	for _, binary := range []string{"kube-apiserver", "etcd", "kubectl"} {
		if _, err := os.Stat(filepath.Join(assets, binary)); err != nil {
			return nil, fmt.Errorf("--assets must name the folder that hack/controlplane/assets.sh prints: %w", err)
		}
	}
	env := &envtest.Environment{CRDDirectoryPaths: []string{from.CRDs}, ErrorIfCRDPathMissing: true}
	server, etcd := env.ControlPlane.GetAPIServer(), &envtest.Etcd{}
	env.ControlPlane.Etcd = etcd
	env.ControlPlane.KubectlPath = filepath.Join(assets, "kubectl")
	server.CertDir, etcd.DataDir = filepath.Join(dir, "certs"), filepath.Join(dir, "etcd-data")
	for _, folder := range []string{server.CertDir, etcd.DataDir} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return nil, err
		}
	}
	if server.Path, err = bound(dir, filepath.Join(assets, "kube-apiserver")); err != nil {
		return nil, err
	}
	if etcd.Path, err = bound(dir, filepath.Join(assets, "etcd")); err != nil {
		return nil, err
	}
	serverLog, err := os.Create(filepath.Join(dir, "kube-apiserver.log"))
	if err != nil {
		return nil, err
	}
	defer serverLog.Close() // the process has a descriptor of its own
	etcdLog, err := os.Create(filepath.Join(dir, "etcd.log"))
	if err != nil {
		return nil, err
	}
	defer etcdLog.Close()
	server.Out, server.Err, etcd.Out, etcd.Err = serverLog, serverLog, etcdLog, etcdLog

	plane := &ControlPlane{env: env, Kubectl: env.ControlPlane.KubectlPath}
	if plane.Config, err = env.Start(); err != nil {
		return nil, WithLog(WithLog(err, etcdLog.Name()), serverLog.Name())
	}
	plane.Config.QPS = -1 // the API server alone says what is too much
	if err := plane.prepare(dir, from.Role); err != nil {
		_ = plane.Stop() // the first error is the one that explains
		return nil, err
	}
	return plane, nil
}

// prepare makes the client and both kubeconfigs.
func (p *ControlPlane) prepare(dir, roleFile string) (err error) {
	kinds := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(kinds), v1alpha1.AddToScheme(kinds)); err != nil {
		return err
	}
	if p.Client, err = client.New(p.Config, client.Options{Scheme: kinds}); err != nil {
		return err
	}
	p.Kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(p.Kubeconfig, p.env.KubeConfig, 0o600); err != nil {
		return err
	}
	p.OperatorConfig = filepath.Join(dir, "operator.kubeconfig")
	user, err := p.env.AddUser(envtest.User{Name: "cobalt-operator"}, nil)
	if err != nil {
		return err
	}
	config, err := user.KubeConfig()
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.OperatorConfig, config, 0o600); err != nil {
		return err
	}
	return p.grant("cobalt-operator", roleFile)
}

// grant binds user to the ClusterRole in roleFile, so that a right that is missing there shows here.
func (p *ControlPlane) grant(user, roleFile string) error {
	text, err := os.ReadFile(roleFile)
	if err != nil {
		return err
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		return fmt.Errorf("%s: %w", roleFile, err)
	}
	binding := rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	for _, obj := range []client.Object{&role, &binding} {
		if err := p.Client.Create(context.Background(), obj); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends both.
func (p *ControlPlane) Stop() error {
	return p.env.Stop()
}
