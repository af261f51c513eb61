package controller

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// kept takes what still differs after a write, or instead of one, into the
// status. It returns stalled if there is anything: Cobalt changed or dropped a
// value, and writing it again would change nothing.
func (p *pass[T]) kept(drift []v1alpha1.Drift) error {
	p.setDrift(drift)
	if len(drift) == 0 {
		return nil
	}
	return stalledBy(v1alpha1.ReasonNotConverging,
		"Cobalt does not keep what spec asks for in %s: change spec to what Cobalt keeps (status.drift shows both), "+
			"or request a sync to have it written again", paths(drift))
}

// triedInVain tells whether this very drift was left by an earlier write, and
// neither spec nor Cobalt has changed since.
func (p *pass[T]) triedInVain(drift []v1alpha1.Drift) bool {
	ready := meta.FindStatusCondition(p.before.CommonStatus().Conditions, v1alpha1.ConditionReady)
	return !p.wanted && ready != nil && ready.Reason == v1alpha1.ReasonNotConverging &&
		slices.Equal(p.before.CommonStatus().Drift, drift[:min(len(drift), mostDrift)])
}

// mostDrift is how many differences status lists, and mostPaths a message.
const (
	mostDrift = 20
	mostPaths = 8
)

func (p *pass[T]) setDrift(drift []v1alpha1.Drift) {
	p.obj.CommonStatus().Drift = drift[:min(len(drift), mostDrift)]
}

// paths names where drift is, in a text of bounded length.
func paths(drift []v1alpha1.Drift) string {
	text := ""
	for i, d := range drift {
		if i == mostPaths {
			return fmt.Sprintf("%s and %d more", text, len(drift)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += d.Path
	}
	return text
}
