package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// converge writes to Cobalt what is missing or different there, and returns
// what it has then.
func (r *Reconciler[T, R]) converge(ctx context.Context, api *cobalt.Client, p *pass[T], desired, remote *R) (*R, error) {
	if remote == nil {
		created, err := r.Resource.Create(ctx, api, desired)
		if err != nil {
			return nil, err
		}
		r.event(p, corev1.EventTypeNormal, "Created", "Create", "created in Cobalt")
		return created, p.kept(r.Resource.Diff(desired, created))
	}
	drift := r.Resource.Diff(desired, remote)
	if len(drift) == 0 {
		return remote, p.kept(nil)
	}
	if p.triedInVain(drift) {
		return remote, p.kept(drift)
	}
	p.setDrift(drift) // stays until correcting it works
	updated, err := r.Resource.Update(ctx, api, desired, remote)
	switch {
	case cobalt.IsNotFound(err): // gone since Observe: observe again
		return nil, errors.New("it vanished from Cobalt meanwhile: " + err.Error())
	case err != nil:
		return nil, err
	}
	r.event(p, corev1.EventTypeNormal, "Updated", "Update", "corrected in Cobalt: "+paths(drift))
	return updated, p.kept(r.Resource.Diff(desired, updated))
}

// compare is sync under managementPolicy ReadOnly: it tells what would change.
func (r *Reconciler[T, R]) compare(p *pass[T], desired, remote *R) error {
	if remote == nil {
		p.obj.CommonStatus().ID = ""
		p.setDrift(nil)
		return waitingFor(v1alpha1.ReasonRemoteNotFound,
			"it does not exist in Cobalt, and managementPolicy ReadOnly keeps the operator from creating it: create it there, or set Manage")
	}
	p.setDrift(r.Resource.Diff(desired, remote))
	r.Resource.Publish(p.obj, desired, remote)
	return nil
}

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
