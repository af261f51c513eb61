package controller

import (
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// originRecord is the origin annotation of an object. It is written with the finalizer, before anything is made in
// Cobalt, so that it tells what a call was meant to do of which nobody has seen the answer.
type originRecord struct {
	origin v1alpha1.Origin
	// since is when the object first set out to create what it stands for, by Cobalt's clock: what is older was made by
	// others. Zero where the origin is known without it.
	since time.Time
}

// clockSkew is how far apart the clocks of Cobalt's servers may be.
const clockSkew = 5 * time.Second

func recordedOrigin(obj client.Object) (originRecord, bool) {
	value, ok := annotation(obj, originAnnotation)
	origin, since, _ := strings.Cut(value, "/")
	record := originRecord{origin: v1alpha1.Origin(origin)}
	record.since, _ = time.Parse(time.RFC3339, since) // zero if there is none
	return record, ok
}

func (r originRecord) String() string {
	if r.since.IsZero() {
		return string(r.origin)
	}
	return string(r.origin) + "/" + r.since.UTC().Format(time.RFC3339)
}

// of is the origin of what Cobalt says was created then, untold if it does not say.
func (r originRecord) of(created time.Time, untold v1alpha1.Origin) v1alpha1.Origin {
	switch {
	case r.since.IsZero():
		return r.origin
	case created.IsZero():
		return untold
	case created.Before(r.since.Add(-clockSkew)):
		return v1alpha1.OriginAdopted
	}
	return v1alpha1.OriginCreated
}

// originOf is the origin of what was found in Cobalt for obj. The status goes first: it cannot be forged as easily as an
// annotation. Versions that recorded no origin of a kind leave it empty.
func originOf(obj Kept, created time.Time, untold v1alpha1.Origin) v1alpha1.Origin {
	status := obj.CommonStatus()
	record, ok := recordedOrigin(obj)
	switch {
	case status.Origin != "":
		return status.Origin
	case ok:
		return record.of(created, untold)
	case status.ID != "" && wasKept(obj):
		return ""
	}
	return v1alpha1.OriginAdopted
}

// wasKept tells whether a version that recorded no origins has kept what obj stands for: it recorded the account, and held
// obj. A copy of another object comes with a finalizer as well, and under ReadOnly with an id.
func wasKept(obj Kept) bool {
	_, ok := annotation(obj, accountAnnotation)
	return ok && hasFinalizer(obj)
}

// knownOrigin is the origin of what obj stands for without another look at it; empty if there is none, or if only Cobalt
// can tell. Configs and webhooks of versions that recorded none count as created: those versions deleted them.
func knownOrigin(obj Kept) v1alpha1.Origin {
	status := obj.CommonStatus()
	record, ok := recordedOrigin(obj)
	_, account := obj.(*v1alpha1.LinkedAccount)
	switch {
	case status.Origin != "":
		return status.Origin
	case ok && record.since.IsZero():
		return record.origin
	case !ok && !account && status.ID != "" && wasKept(obj):
		return v1alpha1.OriginCreated
	}
	return ""
}

// originAnnotationOf is what the origin annotation of obj must say before anything is written to Cobalt; empty for nothing. Where
// what was tried until now is known to have made nothing, it begins anew: what is there then was made by others.
func originAnnotationOf(obj Kept, found bool, origin v1alpha1.Origin, now time.Time, unmade bool) string {
	record, ok := recordedOrigin(obj)
	begins := obj.CommonStatus().ID == "" && obj.CommonStatus().Origin == ""
	switch {
	case ok && (!unmade || !begins || record.since.IsZero()):
		return record.String()
	case !found && obj.CommonStatus().ID == "":
		return originRecord{v1alpha1.OriginCreated, now}.String()
	case ok:
		return string(v1alpha1.OriginAdopted)
	}
	return string(origin)
}

// inheritance are the annotations of obj that its heir takes over: what obj has created, or may have, and for whom. What
// only annotations say of obj, which anybody may have written, does not count against the status of the heir.
func inheritance(obj, heir Kept, account string) map[string]string {
	annotations := map[string]string{}
	if _, ok := annotation(obj, accountAnnotation); ok {
		annotations[accountAnnotation] = account
	}
	record, recorded := recordedOrigin(obj)
	switch known := knownOrigin(obj); {
	case obj.CommonStatus().Origin == "" && heir.CommonStatus().Origin != "":
	case known == v1alpha1.OriginCreated:
		annotations[originAnnotation] = string(known)
	case known == "" && recorded:
		annotations[originAnnotation] = record.String()
	}
	return annotations
}
