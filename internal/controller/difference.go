package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
)

// difference is one place where Cobalt is not as spec wants it.
type difference struct {
	path string
	// want and have are decoded JSON; nil for what should not be or is not there.
	want, have any
	// hidden values are shown to nobody.
	hidden bool
}

// mostDrift is how many differences status lists, and mostPaths a message.
const (
	mostDrift = 20
	mostPaths = 8
	// longestPath is how much of a path status shows.
	longestPath = 250
)

// drift is as much of differences as status shows.
func drift(differences []difference) []v1alpha1.Drift {
	var list []v1alpha1.Drift
	for _, d := range differences {
		shown := v1alpha1.Drift{Path: cut(d.path, longestPath), Desired: shownUnlessNil(d.want), Observed: shownUnlessNil(d.have)}
		if d.hidden {
			shown.Desired, shown.Observed = redacted, redacted
		}
		same := func(other v1alpha1.Drift) bool { return other.Path == shown.Path } // where it was cut
		if len(list) < mostDrift && !slices.ContainsFunc(list, same) {
			list = append(list, shown)
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
		text += cut(d.path, longestPath)
	}
	return text
}

// shownUnlessNil renders a value; nothing for what is not there.
func shownUnlessNil(value any) string {
	if value == nil {
		return ""
	}
	return jsonvalue.Show(value)
}

// cut is as much of a text as there is room for.
func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}
