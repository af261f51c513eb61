package object

import (
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// OriginRecord is the origin annotation of an object. It is written with the finalizer, before anything is made in
// Cobalt, so that it tells what a call was meant to do of which nobody has seen the answer.
type OriginRecord struct {
	Origin v1alpha1.Origin
	// Since is when the object first set out to create what it stands for, by Cobalt's clock: what is older was made by
	// others. Zero where the origin is known without it.
	Since time.Time
}

// clockSkew is how far apart the clocks of Cobalt's servers may be.
const clockSkew = 5 * time.Second

// RecordedOrigin is the origin annotation of obj, and whether it has one.
func RecordedOrigin(obj client.Object) (OriginRecord, bool) {
	value, ok := Annotation(obj, OriginAnnotation)
	origin, since, _ := strings.Cut(value, "/")
	record := OriginRecord{Origin: v1alpha1.Origin(origin)}
	record.Since, _ = time.Parse(time.RFC3339, since) // zero if there is none
	return record, ok
}

// String is the record as the annotation has it.
func (r OriginRecord) String() string {
	if r.Since.IsZero() {
		return string(r.Origin)
	}
	return string(r.Origin) + "/" + r.Since.UTC().Format(time.RFC3339)
}

// Of is the origin of what Cobalt says was created then, untold if it does not say.
func (r OriginRecord) Of(created time.Time, untold v1alpha1.Origin) v1alpha1.Origin {
	switch {
	case r.Since.IsZero():
		return r.Origin
	case created.IsZero():
		return untold
	case created.Before(r.Since.Add(-clockSkew)):
		return v1alpha1.OriginAdopted
	}
	return v1alpha1.OriginCreated
}

// OriginOf is the origin of what was found in Cobalt for obj. The status goes first: it cannot be forged as easily as an
// annotation. Versions that recorded no origin of a kind leave it empty.
func OriginOf(obj Managed, created time.Time, untold v1alpha1.Origin) v1alpha1.Origin {
	status := obj.CommonStatus()
	record, ok := RecordedOrigin(obj)
	switch {
	case status.Origin != "":
		return status.Origin
	case ok:
		return record.Of(created, untold)
	case status.ID != "" && wasKept(obj):
		return ""
	}
	return v1alpha1.OriginAdopted
}

// wasKept tells whether a version that recorded no origins has kept what obj stands for: it recorded the account, and held
// obj. A copy of another object comes with a finalizer as well, and under ReadOnly with an id.
func wasKept(obj Managed) bool {
	_, ok := Annotation(obj, AccountAnnotation)
	return ok && HasFinalizer(obj)
}

// KnownOrigin is the origin of what obj stands for without another look at it; empty if there is none, or if only Cobalt
// can tell. Configs and webhooks of versions that recorded none count as created: those versions deleted them.
func KnownOrigin(obj Managed) v1alpha1.Origin {
	status := obj.CommonStatus()
	record, ok := RecordedOrigin(obj)
	_, account := obj.(*v1alpha1.LinkedAccount)
	switch {
	case status.Origin != "":
		return status.Origin
	case ok && record.Since.IsZero():
		return record.Origin
	case !ok && !account && status.ID != "" && wasKept(obj):
		return v1alpha1.OriginCreated
	}
	return ""
}

// OriginAnnotationOf is what the origin annotation of obj must say before anything is written to Cobalt; empty for nothing. Where
// what was tried until now is known to have made nothing, it begins anew: what is there then was made by others.
func OriginAnnotationOf(obj Managed, found bool, origin v1alpha1.Origin, now time.Time, unmade bool) string {
	record, ok := RecordedOrigin(obj)
	begins := obj.CommonStatus().ID == "" && obj.CommonStatus().Origin == ""
	switch {
	case ok && (!unmade || !begins || record.Since.IsZero()):
		return record.String()
	case !found && obj.CommonStatus().ID == "":
		return OriginRecord{v1alpha1.OriginCreated, now}.String()
	case ok:
		return string(v1alpha1.OriginAdopted)
	}
	return string(origin)
}

// Inheritance are the annotations of obj that its heir takes over: what obj has created, or may have, and for whom. What
// only annotations say of obj, which anybody may have written, does not count against the status of the heir.
func Inheritance(obj, heir Managed, account string) map[string]string {
	annotations := map[string]string{}
	if _, ok := Annotation(obj, AccountAnnotation); ok {
		annotations[AccountAnnotation] = account
	}
	record, recorded := RecordedOrigin(obj)
	switch known := KnownOrigin(obj); {
	case obj.CommonStatus().Origin == "" && heir.CommonStatus().Origin != "":
	case known == v1alpha1.OriginCreated:
		annotations[OriginAnnotation] = string(known)
	case known == "" && recorded:
		annotations[OriginAnnotation] = record.String()
	}
	return annotations
}
