package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// How many places status lists, how many a message, and how much of a path each shows. The
// note of an event has room for all of a message.
const (
	mostDrift       = 20
	mostPaths       = 8
	longestPath     = 250
	longestPathNote = 96
)

// difference is one place where Cobalt is not as spec wants it.
type difference struct {
	path string
	// want and have are decoded JSON; nil for what should not be or is not there.
	want, have any
	// hidden values are shown to nobody.
	hidden bool
}

// drift is as much of differences as status shows, without the secrets of inputs: a
// customer may have put one where none is expected.
func drift(differences []difference, inputs *Inputs) []v1alpha1.Drift {
	var list []v1alpha1.Drift
	for _, d := range differences {
		path := redact.CutCharacters(d.path, longestPath)
		same := func(other v1alpha1.Drift) bool { return other.Path == path } // where it was cut
		switch {
		case len(list) == mostDrift:
			return list
		case slices.ContainsFunc(list, same):
		case d.hidden:
			list = append(list, v1alpha1.Drift{Path: path, Desired: redact.Mark, Observed: redact.Mark})
		default:
			list = append(list, v1alpha1.Drift{Path: path, Desired: shownUnlessNil(d.want, inputs), Observed: shownUnlessNil(d.have, inputs)})
		}
	}
	return list
}

// digest stands for differences with their values, also the hidden ones.
func digest(differences []difference) string {
	if len(differences) == 0 {
		return ""
	}
	hash := sha256.New()
	for _, d := range differences {
		_, _ = fmt.Fprintf(hash, "%q %q %q\n", d.path, jsonvalue.Text(d.want), jsonvalue.Text(d.have))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// paths names where differences are, in a text of bounded length.
func paths(differences []difference) string {
	text := ""
	for i, d := range differences {
		if i == mostPaths {
			return fmt.Sprintf("%s and %d more", text, len(differences)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += redact.Shorten(d.path, longestPathNote)
	}
	return text
}

// shownUnlessNil renders a value without secrets; nothing for what is not there.
func shownUnlessNil(value any, inputs *Inputs) string {
	if value == nil {
		return ""
	}
	return jsonvalue.Shorten(inputs.Redact(jsonvalue.Text(value)))
}
