package main

import (
	"crypto/rand"
	"embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// The addresses and folders in these files are those inside the node: see node.go.
//
//go:embed files
var files embed.FS

// user is somebody whom the API server knows by a token.
type user struct {
	file   string // of the kubeconfig
	name   string
	groups string
}

var administrator = user{"kubeconfig", "admin", "system:masters"}

var users = []user{
	administrator,
	{"kubelet.kubeconfig", "system:node:" + nodeName, "system:nodes"},
	{"kube-proxy.kubeconfig", "system:kube-proxy", ""},
	{"kube-scheduler.kubeconfig", "system:kube-scheduler", ""},
	{"kube-controller-manager.kubeconfig", "system:kube-controller-manager", ""},
	{"coredns.kubeconfig", "coredns", "system:masters"}, // no role comes with Kubernetes that may list EndpointSlices only
}

// writeFiles fills the folder of the state. The administrator reaches the API server at address, the others inside.
func writeFiles(state, address string) error {
	for _, folder := range []string{"cni", "logs", "lib", "log"} {
		if err := os.MkdirAll(filepath.Join(state, folder), 0o755); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		"containerd.toml": "", "kubelet.yaml": "", "kube-proxy.yaml": "", "Corefile": "", "cni.conflist": "cni/",
	} {
		text, err := files.ReadFile("files/" + from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(state, to, from), text, 0o644); err != nil {
			return err
		}
	}
	// An empty list of servers, so that pods never ask those of the machine.
	if err := os.WriteFile(filepath.Join(state, "resolv.conf"), nil, 0o644); err != nil {
		return err
	}
	ca, err := writeKeys(state)
	if err != nil {
		return err
	}
	return writeUsers(state, address, ca)
}

// writeKeys makes the certificate of the API server, which it returns, and the key that signs service accounts' tokens.
func writeKeys(state string) ([]byte, error) {
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost",
		[]net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(nodeAddress), net.ParseIP(serviceAddress)},
		[]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"})
	if err != nil {
		return nil, err
	}
	accounts, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{"apiserver.crt": certificate, "apiserver.key": key, "accounts.key": accounts} {
		if err := os.WriteFile(filepath.Join(state, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	return certificate, nil
}

func writeUsers(state, address string, ca []byte) error {
	var tokens strings.Builder
	for _, u := range users {
		server := "https://127.0.0.1:6443"
		if u == administrator {
			server = "https://" + address
		}
		token := rand.Text()
		fmt.Fprintf(&tokens, "%s,%s,%s,%q\n", token, u.name, u.name, u.groups)
		config := clientcmdapi.NewConfig()
		config.Clusters["node"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
		config.AuthInfos[u.name] = &clientcmdapi.AuthInfo{Token: token}
		config.Contexts["node"] = &clientcmdapi.Context{Cluster: "node", AuthInfo: u.name}
		config.CurrentContext = "node"
		if err := clientcmd.WriteToFile(*config, filepath.Join(state, u.file)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(state, "tokens.csv"), []byte(tokens.String()), 0o600)
}
