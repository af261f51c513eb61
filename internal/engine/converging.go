package engine

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// apply writes to Cobalt what is missing or different there, and takes what
// came of it into the status.
func (r *Managed[T, R]) apply(ctx context.Context, api *environment.Remote, p *Run[T], desired, remote *R) error {
	if remote == nil {
		r.tries(p)
		created, err := r.Resource.Create(ctx, api, desired)
		if created != nil {
			r.publish(p, desired, created)
		}
		if err != nil {
			p.failed(err)
			return err
		}
		if p.obj.CommonStatus().Origin == v1alpha1.OriginAdopted {
			r.adopted(p)
		} else {
			r.event(p, corev1.EventTypeNormal, "Created", "Create", "created in Cobalt")
		}
		p.wrote = ""
		return p.kept(r.Resource.Diff(desired, created))
	}
	differences := r.Resource.Diff(desired, remote)
	r.publish(p, desired, remote)
	if len(differences) == 0 {
		p.wrote = ""
		return p.kept(nil)
	}
	if p.triedInVain(differences) {
		return p.kept(differences)
	}
	r.count(p, differences)
	p.setDrift(differences) // stays until correcting it works
	now, told, err := r.Resource.Update(ctx, api, desired, remote)
	if now != nil {
		r.publish(p, desired, now) // what was done is done, although the rest may have failed
	}
	switch {
	case cobalt.IsNotFound(err): // gone since Observe: observe again
		return errors.New("it vanished from Cobalt meanwhile: " + err.Error())
	case err != nil:
		return err
	}
	r.event(p, corev1.EventTypeNormal, "Updated", "Update", "corrected in Cobalt: "+drift.Paths(differences))
	p.wrote = ""
	if !told { // the next look will
		p.wrote = drift.Digest(differences)
	}
	return p.kept(r.Resource.Diff(desired, now))
}

// publish takes what there is into the status. With the id go all facts that deleting it
// relies on: another run may not come as far.
func (r *Managed[T, R]) publish(p *Run[T], desired, remote *R) {
	origin, status := r.Resource.Origin(p.obj, remote), p.obj.CommonStatus()
	r.Resource.Publish(p.obj, desired, remote)
	if p.readOnly() || status.ID == "" {
		return
	}
	status.LinkedAccountID, status.Environment = p.account.ID, object.EnvironmentName(p.obj)
	if origin != "" {
		status.Origin = origin
	}
}

func (r *Managed[T, R]) adopted(p *Run[T]) {
	r.event(p, corev1.EventTypeNormal, "Adopted", "Adopt", "found in Cobalt and adopted")
}

// count counts drift that was not known before, and that nobody has brought about
// by changing spec.
func (r *Managed[T, R]) count(p *Run[T], differences []drift.Difference) {
	if !p.changed && p.unseen(differences) {
		metrics.DriftDetected.WithLabelValues(r.Kind).Inc()
	}
}

// unseen tells whether there is drift that status does not show yet.
func (p *Run[T]) unseen(differences []drift.Difference) bool {
	return len(differences) > 0 && !slices.Equal(p.before.CommonStatus().Drift, drift.Of(differences, p.inputs))
}

// compare is sync under managementPolicy ReadOnly: it tells what would change.
func (r *Managed[T, R]) compare(p *Run[T], desired, remote *R) error {
	if remote == nil {
		p.obj.CommonStatus().ID = ""
		p.setDrift(nil)
		return condition.WaitingFor(v1alpha1.ReasonRemoteNotFound,
			"it does not exist in Cobalt, and managementPolicy ReadOnly keeps the operator from creating it: create it there, or set Manage")
	}
	differences := r.Resource.Diff(desired, remote)
	r.count(p, differences)
	if p.unseen(differences) {
		r.event(p, corev1.EventTypeNormal, "DriftDetected", "Compare", "Cobalt differs from spec: "+drift.Paths(differences))
	}
	p.setDrift(differences)
	r.Resource.Publish(p.obj, desired, remote)
	return nil
}

// kept takes what still differs after a write, or instead of one, into the
// status. It returns stalled if there is anything: Cobalt changed or dropped a
// value, and writing it again would change nothing.
func (p *Run[T]) kept(differences []drift.Difference) error {
	p.setDrift(differences)
	if len(differences) == 0 {
		return nil
	}
	p.wrote = drift.Digest(differences)
	return condition.StalledBy(v1alpha1.ReasonNotConverging,
		"Cobalt does not keep what spec asks for in %s: change spec to what Cobalt keeps (status.drift shows both), "+
			"or request a sync to have it written again", drift.Paths(differences))
}

// triedInVain tells whether these very differences were left by an earlier write,
// and neither spec nor Cobalt has changed since.
func (p *Run[T]) triedInVain(differences []drift.Difference) bool {
	if p.wanted || len(differences) == 0 {
		return false
	}
	if p.wrote != "" {
		return p.wrote == drift.Digest(differences)
	}
	// After a restart, as far as the status tells.
	ready := meta.FindStatusCondition(p.before.CommonStatus().Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonNotConverging && !p.unseen(differences)
}

func (p *Run[T]) setDrift(differences []drift.Difference) {
	p.obj.CommonStatus().Drift = drift.Of(differences, p.inputs)
}

// tries notes that a creation is about to be tried, and what comes of it is not known until it has ended.
func (r *Managed[T, R]) tries(p *Run[T]) {
	if p.memory.unmade {
		p.memory.unmade = false
		r.Memories.Set(client.ObjectKeyFromObject(p.obj), p.memory)
	}
}

// failed notes whether a creation that has failed is known to have made nothing, and none before it has.
func (p *Run[T]) failed(err error) { p.memory.unmade = p.fresh && !cobalt.OutcomeUnknown(err) }
