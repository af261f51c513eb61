package object

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Use is what an object may count for.
type Use int

// The uses.
const (
	// Rival stands for something in Cobalt that no other object may stand for.
	Rival Use = iota
	// Dependent keeps its account from being deleted.
	Dependent
	// Known says that its account is there, or else the environment is another one.
	Known
	// Load takes part in the calls of its environment: in the budget of looks and in waiting lines.
	Load
	// Shown is counted by metrics.
	Shown
	// Holder keeps its environment from going, as its own deletion needs the key.
	Holder
)

// Access is what an environment allows an object.
type Access int

// The answers of environments.
const (
	// Missing: there is no such environment.
	Missing Access = iota
	// Refused: it may not be used from the object's namespace, or for its account.
	Refused
	// Granted: it may be used.
	Granted
)

// Counts tells whether an object with this access to its environment counts for a use. How the address of the environment
// is spelled makes no difference, and environments themselves count for none.
func Counts(counted client.Object, use Use, access Access) bool {
	obj, ok := counted.(Object)
	if !ok {
		return false
	}
	suspended, granted := obj.MemberSpec().Suspend, access == Granted
	switch use {
	case Rival, Dependent:
		return granted && manages(obj) && (!suspended || ID(obj) != "")
	case Known:
		return granted && manages(obj) && !suspended && ID(obj) != ""
	case Load:
		return granted && !suspended
	case Shown: // somebody has to see an environmentRef that leads nowhere
		return access != Refused && !suspended
	case Holder: // one that was begun may be there although no status says so yet
		return access != Missing && deletes(obj, granted) && (ID(obj) != "" || granted && HasFinalizer(obj))
	}
	return false
}

// ID is Cobalt's id of what an object stands for; empty if there is none.
func ID(obj metav1.Object) string {
	switch obj := obj.(type) {
	case *v1alpha1.PublicWorkflow:
		return obj.Status.ID
	case Managed:
		return obj.CommonStatus().ID
	}
	return ""
}

// manages tells whether an object writes to Cobalt and goes on to.
func manages(obj Object) bool {
	return !looksOnly(obj) && obj.GetDeletionTimestamp().IsZero()
}

// deletes tells whether the deletion of an object may delete something in Cobalt. That
// its environment says Orphan does not count: nobody could ask it any more.
func deletes(obj Object, granted bool) bool {
	keeps, ok := obj.(Managed)
	if !ok || !obj.GetDeletionTimestamp().IsZero() && !HasFinalizer(obj) { // it has been let go
		return false
	}
	origin := keeps.CommonStatus().Origin
	if origin == "" && granted { // only Cobalt can tell
		origin = v1alpha1.OriginCreated
	}
	return MayDelete(obj, origin, granted)
}

// looksOnly tells whether an object writes nothing to Cobalt.
func looksOnly(obj client.Object) bool {
	keeps, ok := obj.(Managed)
	return ok && keeps.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly
}
