// Package drift has the differences between what spec asks for and what Cobalt has, and the forms in which statuses,
// messages and memory have them.
package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// How many places status lists, how many a message, and how much of a path each shows. The
// note of an event has room for all of a message.
const (
	Most            = 20
	mostPaths       = 8
	longestPath     = 250
	longestPathNote = 96
)

// Difference is one place where Cobalt is not as spec wants it.
type Difference struct {
	Path string
	// Want and Have are decoded JSON; nil for what should not be or is not there.
	Want, Have any
	// Hidden values are shown to nobody.
	Hidden bool
}

// Of is as much of differences as status shows, without the secrets of inputs: a
// customer may have put one where none is expected.
func Of(differences []Difference, reader *inputs.Reader) []v1alpha1.Drift {
	var list []v1alpha1.Drift
	for _, d := range differences {
		path := redact.CutCharacters(d.Path, longestPath)
		same := func(other v1alpha1.Drift) bool { return other.Path == path } // where it was cut
		switch {
		case len(list) == Most:
			return list
		case slices.ContainsFunc(list, same):
		case d.Hidden:
			list = append(list, v1alpha1.Drift{Path: path, Desired: redact.Mark, Observed: redact.Mark})
		default:
			list = append(list, v1alpha1.Drift{Path: path, Desired: shownUnlessNil(d.Want, reader), Observed: shownUnlessNil(d.Have, reader)})
		}
	}
	return list
}

// Digest stands for differences with their values, also the hidden ones.
func Digest(differences []Difference) string {
	if len(differences) == 0 {
		return ""
	}
	hash := sha256.New()
	for _, d := range differences {
		_, _ = fmt.Fprintf(hash, "%q %q %q\n", d.Path, jsonvalue.Text(d.Want), jsonvalue.Text(d.Have))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Paths names where differences are, in a text of bounded length.
func Paths(differences []Difference) string {
	text := ""
	for i, d := range differences {
		if i == mostPaths {
			return fmt.Sprintf("%s and %d more", text, len(differences)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += redact.Shorten(d.Path, longestPathNote)
	}
	return text
}

// shownUnlessNil renders a value without secrets; nothing for what is not there.
func shownUnlessNil(value any, reader *inputs.Reader) string {
	if value == nil {
		return ""
	}
	return jsonvalue.Shorten(reader.Redact(jsonvalue.Text(value)))
}
