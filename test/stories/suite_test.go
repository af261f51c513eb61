package stories

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

// cluster is the API server that all stories share.
var cluster *testenv.Cluster

func TestStories(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Stories")
}

// The first of the processes that share the stories starts the cluster, and stops it when all are done.
var _ = SynchronizedBeforeSuite(func() []byte {
	started, err := testenv.Start()
	Expect(err).NotTo(HaveOccurred())
	cluster = started
	return started.KubeConfig()
}, func(kubeConfig []byte) {
	log.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(operatorLog)))
	// Nothing here waits for time to pass: this is for what takes a moment.
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(25 * time.Millisecond)
	if cluster == nil {
		var err error
		cluster, err = testenv.Join(kubeConfig)
		Expect(err).NotTo(HaveOccurred())
	}
})

var _ = SynchronizedAfterSuite(suiteLeaksNothing, func() {
	if cluster != nil {
		Expect(cluster.Stop()).To(Succeed())
	}
})

var _ = ReportAfterSuite("what was done, and where the time went", func(report Report) {
	_, err := os.Stdout.WriteString(deathsOf(report) + slowestOf(report))
	Expect(err).NotTo(HaveOccurred())
})

func deathsOf(report Report) string {
	points := 0
	for _, spec := range report.SpecReports {
		for _, entry := range spec.ReportEntries {
			if entry.Name == pointsEntry {
				n, err := strconv.Atoi(entry.StringRepresentation())
				Expect(err).NotTo(HaveOccurred())
				points += n
			}
		}
	}
	if points == 0 {
		return ""
	}
	return fmt.Sprintf("\nOperators have died at %d points, and others have ended what they had begun.\n", points)
}

// mostSlow is how many of the slowest stories are named.
const mostSlow = 10

func slowestOf(report Report) string {
	specs := slices.DeleteFunc(slices.Clone(report.SpecReports), func(spec SpecReport) bool {
		return spec.LeafNodeType != types.NodeTypeIt || spec.RunTime == 0
	})
	slices.SortFunc(specs, func(a, b SpecReport) int { return cmp.Compare(b.RunTime, a.RunTime) })
	var text strings.Builder
	fmt.Fprintf(&text, "\nThe slowest of %d stories:\n", len(specs))
	for _, spec := range specs[:min(len(specs), mostSlow)] {
		fmt.Fprintf(&text, "%6.1f s  %s\n", spec.RunTime.Seconds(), spec.FullText())
	}
	return text.String()
}
