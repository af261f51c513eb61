package stories

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
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

var _ = BeforeSuite(func() {
	log.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(operatorLog)))
	// Nothing here waits for time to pass: this is for what takes a moment.
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	var err error
	cluster, err = testenv.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(cluster.Stop()).To(Succeed()) })
	DeferCleanup(suiteLeaksNothing)
})

var _ = ReportAfterSuite("the points of death", func(report Report) {
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
	if points > 0 {
		_, err := fmt.Fprintf(os.Stdout, "\nOperators have died at %d points, and others have ended what they had begun.\n", points)
		Expect(err).NotTo(HaveOccurred())
	}
})
