package managed

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

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
func (r *Reconciler[T, R]) apply(ctx context.Context, api *environment.Remote, run *Run[T], desired, remote *R) error {
	if remote == nil {
		run.tries()
		created, err := r.Resource.Create(ctx, api, desired)
		if created != nil {
			r.publish(run, desired, created)
		}
		if err != nil {
			run.failed(err)
			return err
		}
		if run.Obj.CommonStatus().Origin == v1alpha1.OriginAdopted {
			run.adopted()
		} else {
			run.Tell(corev1.EventTypeNormal, "Created", "Create", "created in Cobalt")
		}
		run.corrected = ""
		return run.kept(r.Resource.Diff(desired, created))
	}
	differences := r.Resource.Diff(desired, remote)
	r.publish(run, desired, remote)
	if len(differences) == 0 {
		run.corrected = ""
		return run.kept(nil)
	}
	if run.triedInVain(differences) {
		return run.kept(differences)
	}
	r.count(run, differences)
	run.setDrift(differences) // stays until correcting it works
	now, told, err := r.Resource.Update(ctx, api, desired, remote)
	if now != nil {
		r.publish(run, desired, now) // what was done is done, although the rest may have failed
	}
	switch {
	case cobalt.IsNotFound(err): // gone since Observe: observe again
		return errors.New("it vanished from Cobalt meanwhile: " + err.Error())
	case err != nil:
		return err
	}
	run.Tell(corev1.EventTypeNormal, "Updated", "Update", "corrected in Cobalt: "+drift.Paths(differences))
	run.corrected = ""
	if !told { // the next look will
		run.corrected = drift.Digest(differences)
	}
	return run.kept(r.Resource.Diff(desired, now))
}

// publish takes what there is into the status. With the id go all facts that deleting it
// relies on: another run may not come as far.
func (r *Reconciler[T, R]) publish(run *Run[T], desired, remote *R) {
	origin, status := r.Resource.Origin(run.Obj, remote), run.Obj.CommonStatus()
	r.Resource.Publish(run.Obj, desired, remote)
	if run.readOnly() || status.ID == "" {
		return
	}
	status.LinkedAccountID, status.Environment = run.Account.ID, object.EnvironmentName(run.Obj)
	if origin != "" {
		status.Origin = origin
	}
}

func (run *Run[T]) adopted() {
	run.Tell(corev1.EventTypeNormal, "Adopted", "Adopt", "found in Cobalt and adopted")
}

// count counts drift that was not known before, and that nobody has brought about
// by changing spec.
func (r *Reconciler[T, R]) count(run *Run[T], differences []drift.Difference) {
	if !run.changed && run.unseen(differences) {
		metrics.DriftDetected.WithLabelValues(r.Kind).Inc()
	}
}

// unseen tells whether there is drift that status does not show yet.
func (run *Run[T]) unseen(differences []drift.Difference) bool {
	return len(differences) > 0 && !slices.Equal(run.Before.CommonStatus().Drift, drift.Of(differences, run.Inputs))
}

// compare is sync under managementPolicy ReadOnly: it tells what would change.
func (r *Reconciler[T, R]) compare(run *Run[T], desired, remote *R) error {
	if remote == nil {
		run.Obj.CommonStatus().ID = ""
		run.setDrift(nil)
		return condition.WaitingFor(v1alpha1.ReasonRemoteNotFound,
			"it does not exist in Cobalt, and managementPolicy ReadOnly keeps the operator from creating it: create it there, or set Manage")
	}
	differences := r.Resource.Diff(desired, remote)
	r.count(run, differences)
	if run.unseen(differences) {
		run.Tell(corev1.EventTypeNormal, "DriftDetected", "Compare", "Cobalt differs from spec: "+drift.Paths(differences))
	}
	run.setDrift(differences)
	r.Resource.Publish(run.Obj, desired, remote)
	return nil
}

// kept takes what still differs after a write, or instead of one, into the
// status. It returns stalled if there is anything: Cobalt changed or dropped a
// value, and writing it again would change nothing.
func (run *Run[T]) kept(differences []drift.Difference) error {
	run.setDrift(differences)
	if len(differences) == 0 {
		return nil
	}
	run.corrected = drift.Digest(differences)
	return condition.StalledBy(v1alpha1.ReasonNotConverging,
		"Cobalt does not keep what spec asks for in %s: change spec to what Cobalt keeps (status.drift shows both), "+
			"or request a sync to have it written again", drift.Paths(differences))
}

// triedInVain tells whether these very differences were left by an earlier write,
// and neither spec nor Cobalt has changed since.
func (run *Run[T]) triedInVain(differences []drift.Difference) bool {
	if run.wanted || len(differences) == 0 {
		return false
	}
	if run.corrected != "" {
		return run.corrected == drift.Digest(differences)
	}
	// After a restart, as far as the status tells.
	ready := meta.FindStatusCondition(run.Before.CommonStatus().Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonNotConverging && !run.unseen(differences)
}

func (run *Run[T]) setDrift(differences []drift.Difference) {
	run.Obj.CommonStatus().Drift = drift.Of(differences, run.Inputs)
}

// tries notes that a creation is about to be tried, and what comes of it is not known until it has ended.
func (run *Run[T]) tries() {
	if run.Memory.Unmade {
		run.Memory.Unmade = false
		run.Remember()
	}
}

// failed notes whether a creation that has failed is known to have made nothing, and none before it has.
func (run *Run[T]) failed(err error) {
	run.Memory.Unmade = run.fresh && !cobalt.OutcomeUnknown(err)
}
