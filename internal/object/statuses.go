package object

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// ConditionsOf is the part of a status that says what came of the last run.
func ConditionsOf(obj Object) condition.Status {
	status := obj.MemberStatus()
	return condition.Status{Conditions: &status.Conditions, ObservedGeneration: &status.ObservedGeneration}
}

// longestRequest is as much of a request as status can echo.
const longestRequest = 256

// Requested is the sync that somebody asked for by annotation.
func Requested(obj client.Object) string {
	return redact.Cut(obj.GetAnnotations()[v1alpha1.ReconcileRequestAnnotation], longestRequest)
}

// Wishes are what people ask of an object by annotation.
func Wishes(obj client.Object) string {
	annotations := obj.GetAnnotations()
	return Requested(obj) + "\x00" + annotations[v1alpha1.AdoptWorkflowAnnotation] + "\x00" + annotations[v1alpha1.RetryCreateAnnotation]
}

// ReadyReason is the reason of an object's Ready condition.
func ReadyReason(obj Object) string {
	if ready := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

// SaysMissing tells whether the status of obj says that something does not exist.
func SaysMissing(obj Object, what string) bool {
	said := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	return said != nil && strings.Contains(said.Message, what+" does not exist")
}

// WasRefused tells whether Cobalt refused to make what obj stands for.
func WasRefused(obj Object) bool {
	ready := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	return ready != nil && (ready.Reason == v1alpha1.ReasonRejected || ready.Reason == v1alpha1.ReasonApplicationNotFound)
}

// WasCreatedByUs tells whether the status says that obj has created what its deletion is about, which nobody can forge.
func WasCreatedByUs(obj Managed) bool {
	status := obj.CommonStatus()
	return status.ID != "" && status.LinkedAccountID != "" && status.Origin == v1alpha1.OriginCreated
}

// KnownAccount is the account that obj was found to belong to. The status goes
// first: it cannot be forged as easily as an annotation.
func KnownAccount(obj Object) string {
	if id := obj.MemberStatus().LinkedAccountID; id != "" {
		return id
	}
	id, _ := Annotation(obj, AccountAnnotation)
	return id
}

// Vanished tells whether the account that the status tells of is known to be gone,
// although that does not tell yet of the one in its place, if there is one.
func Vanished(obj *v1alpha1.LinkedAccount) bool {
	id, ok := Annotation(obj, VanishedAnnotation)
	return ok && id != "" && id == obj.Status.ID && obj.Spec.ManagementPolicy != v1alpha1.ManagementPolicyReadOnly
}
