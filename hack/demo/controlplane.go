package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// controlPlane is etcd and kube-apiserver with the CRDs installed.
type controlPlane struct {
	env            *envtest.Environment
	client         client.Client
	kubectl        string
	kubeconfig     string // of an administrator, for the user of the demo
	operatorConfig string // of the operator, with the rights it has in a cluster
}

// startControlPlane starts etcd and kube-apiserver, with everything they write below dir.
func startControlPlane(dir string, o options) (*controlPlane, error) {
	assets, err := filepath.Abs(o.assets)
	if err != nil {
		return nil, err
	}
	for _, binary := range []string{"kube-apiserver", "etcd", "kubectl"} {
		if _, err := os.Stat(filepath.Join(assets, binary)); err != nil {
			return nil, fmt.Errorf("--assets must name the folder that hack/controlplane/assets.sh prints: %w", err)
		}
	}
	env := &envtest.Environment{CRDDirectoryPaths: []string{o.crds}, ErrorIfCRDPathMissing: true}
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

	plane := &controlPlane{env: env, kubectl: env.ControlPlane.KubectlPath}
	if _, err := env.Start(); err != nil {
		return nil, withLog(withLog(err, etcdLog.Name()), serverLog.Name())
	}
	if err := plane.prepare(dir, o.role); err != nil {
		_ = plane.stop() // the first error is the one that explains
		return nil, err
	}
	return plane, nil
}

// prepare makes the client and both kubeconfigs.
func (p *controlPlane) prepare(dir, roleFile string) (err error) {
	kinds := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(kinds), v1alpha1.AddToScheme(kinds)); err != nil {
		return err
	}
	if p.client, err = client.New(p.env.Config, client.Options{Scheme: kinds}); err != nil {
		return err
	}
	p.kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(p.kubeconfig, p.env.KubeConfig, 0o600); err != nil {
		return err
	}
	p.operatorConfig = filepath.Join(dir, "operator.kubeconfig")
	user, err := p.env.AddUser(envtest.User{Name: "cobalt-operator"}, nil)
	if err != nil {
		return err
	}
	config, err := user.KubeConfig()
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.operatorConfig, config, 0o600); err != nil {
		return err
	}
	return p.grant("cobalt-operator", roleFile)
}

// grant binds user to the ClusterRole in roleFile, so that a right that is missing there shows here.
func (p *controlPlane) grant(user, roleFile string) error {
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
		if err := p.client.Create(context.Background(), obj); err != nil {
			return err
		}
	}
	return nil
}

func (p *controlPlane) stop() error {
	return p.env.Stop()
}
