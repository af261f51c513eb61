//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// idleFor is how long the operator has had nothing to do when its use of memory and CPU is read.
const idleFor = 15 * time.Second

// table is what was measured, in that order.
type table [][2]string

var measured table

func (t *table) add(what, figure string) { *t = append(*t, [2]string{what, figure}) }

func (t *table) print(out io.Writer) {
	if len(*t) == 0 {
		return
	}
	writer := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(writer, "\nMEASURED\tFIGURE")
	for _, row := range *t {
		_, _ = fmt.Fprintf(writer, "%s\t%s\n", row[0], row[1])
	}
	_ = writer.Flush() // nobody could be told
}

func seconds(since time.Time) string { return fmt.Sprintf("%.1f s", time.Since(since).Seconds()) }

// usage is what the kubelet says of a pod.
type usage struct {
	PodRef struct{ Name, Namespace string }
	CPU    struct {
		Time           time.Time
		UsageNanoCores float64
	}
	Memory struct{ WorkingSetBytes float64 }
}

// measureIdle adds memory and CPU of the operator's pod, read after it had nothing to do for a while.
func measureIdle(ctx context.Context) {
	GinkgoHelper()
	pod := operatorPods(ctx)[0]
	var used usage
	since := time.Now()
	Eventually(func(g Gomega) {
		raw, err := kube.CoreV1().RESTClient().Get().Resource("nodes").Name(pod.Spec.NodeName).
			SubResource("proxy").Suffix("stats/summary").DoRaw(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		var summary struct{ Pods []usage }
		g.Expect(json.Unmarshal(raw, &summary)).To(Succeed())
		for _, u := range summary.Pods {
			if u.PodRef.Namespace == pod.Namespace && u.PodRef.Name == pod.Name {
				used = u
			}
		}
		g.Expect(used.CPU.Time).To(BeTemporally(">", since.Add(idleFor)))
	}).WithContext(ctx).WithPolling(time.Second).Should(Succeed())
	measured.add("memory of the idle operator, working set", fmt.Sprintf("%.1f MiB", used.Memory.WorkingSetBytes/(1<<20)))
	measured.add("CPU of the idle operator", fmt.Sprintf("%.1f millicores", used.CPU.UsageNanoCores/1e6))
}
