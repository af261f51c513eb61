//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// testMetrics asks for metrics as nobody, as a service account without rights, and as one that may read them.
func testMetrics(ctx context.Context) {
	GinkgoHelper()
	address := forwardMetrics(ctx)
	scraper := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "e2e-scraper"}}
	create(ctx, scraper)
	token := tokenOf(ctx, scraper.Namespace, scraper.Name)

	status, _ := scrape(ctx, address, "")
	Expect(status).To(Equal(401))
	status, _ = scrape(ctx, address, token)
	Expect(status).To(Equal(403))

	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "cobalt-e2e-scraper"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: release + "-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: scraper.Namespace, Name: scraper.Name}},
	}
	create(ctx, binding)
	DeferCleanup(func(ctx context.Context) { Expect(objects.Delete(ctx, binding)).To(Succeed()) })
	Eventually(func(g Gomega) { // the refusal of before is remembered for a moment
		status, text := scrape(ctx, address, token)
		g.Expect(status).To(Equal(200))
		g.Expect(text).To(ContainSubstring("\ncontroller_runtime_reconcile_total{"))
	}).WithContext(ctx).Should(Succeed())
}

var forwarding = regexp.MustCompile(`Forwarding from (127\.0\.0\.1:\d+)`)

// forwardMetrics returns an address on this machine that leads to the metrics of the operator until the test ends.
func forwardMetrics(ctx context.Context) string {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(ctx)
	forward := exec.CommandContext(ctx, os.Getenv("KUBECTL"), "port-forward", "--address=127.0.0.1", "--namespace="+operatorNamespace,
		"service/"+release+"-metrics", ":8443")
	forward.Stderr = GinkgoWriter
	out, err := forward.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(forward.Start()).To(Succeed())
	DeferCleanup(func() {
		cancel()
		_ = forward.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	found := forwarding.FindStringSubmatch(line)
	Expect(found).NotTo(BeNil(), line)
	return found[1]
}

// scrape asks for metrics, with a bearer token if there is one.
func scrape(ctx context.Context, address, token string) (int, string) {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/metrics", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	scraper := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // it signs its own
	defer scraper.CloseIdleConnections()
	answer, err := scraper.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	Expect(err).NotTo(HaveOccurred())
	return answer.StatusCode, string(text)
}

// tokenOf returns a token with which to be a service account.
func tokenOf(ctx context.Context, namespace, name string) string {
	GinkgoHelper()
	answer, err := kube.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return answer.Status.Token
}
