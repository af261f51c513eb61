package controller

import (
	"slices"
	"strings"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// What is kept and shown of what others can make large or many: Cobalt, its customers,
// and whoever may write Secrets and ConfigMaps.
const (
	// longestSentence is how many bytes are looked at of a text that is shown, whatever
	// is left of it then.
	longestSentence = 4 << 10
	// longestNote is how many bytes the API server takes as the note of an event.
	longestNote = 1 << 10
	// longestIssue is how many bytes an issue takes at most, longestOwner a reference to
	// a LinkedAccount.
	longestIssue = 2 << 10
	longestOwner = 512

	// Of an account: how many keys of YourApp, and how many bytes of them, status can
	// list, which has those of Secrets twice and is stored with a copy of each.
	mostKeys         = 1000
	mostKeyBytes     = 256 << 10
	mostApplications = 50
	longestText      = 256

	// Of a config: how many fields status can list.
	mostFields = 200

	// Of what differs: how many places status lists, how many a message, and how much of
	// a path each shows. A note has room for all of a message.
	mostDrift       = 20
	mostPaths       = 8
	longestPath     = 250
	longestPathNote = 96

	// Of executions and their logs; see EventTriggerStatus.
	mostLogs       = 50
	longestLog     = 1000
	mostLogBytes   = 4 << 10
	longestRunNote = 128
	longestMessage = 512
	longestStatus  = 64
)

// cut is as much of a text as there is room for, in characters.
func cut(text string, most int) string {
	for at := range text {
		if most == 0 {
			return text[:at]
		}
		most--
	}
	return text
}

// brief is as much of a text as there is room for, in bytes, and says if that is not all.
func brief(text string, most int) string { return (&redact.Secrets{}).Redact(text, most) }

// few keeps the first of what Cobalt tells, by key and each key once, so that it does not
// depend on the order in which it is told, nor take more memory than what is kept.
type few[V any] struct {
	most int
	key  func(V) string
	kept []V
}

func (f *few[V]) add(value V) {
	at, known := slices.BinarySearchFunc(f.kept, f.key(value), func(kept V, key string) int {
		return strings.Compare(f.key(kept), key)
	})
	if known {
		return
	}
	f.kept = slices.Insert(f.kept, at, value)
	f.kept = f.kept[:min(len(f.kept), f.most)]
}

// fits makes sure that status can list the keys of YourApp: what is not listed there is
// never taken back. What status lists already, it has room for.
func (a *account) fits(listed, secret []string) error {
	if len(a.YourApp) > mostKeys {
		return stalledBy(v1alpha1.ReasonInvalidInput,
			"yourApp and yourAppFrom have %d keys together, those that are to be taken back among them: at most %d are possible",
			len(a.YourApp), mostKeys)
	}
	size, present := 0, 0
	for key := range a.YourApp {
		size += len(jsonvalue.Text(key))
		if a.secret[key] {
			size += len(jsonvalue.Text(key))
		}
	}
	for _, key := range slices.Concat(listed, secret) {
		present += len(jsonvalue.Text(key))
	}
	if size > max(mostKeyBytes, present) {
		return stalledBy(v1alpha1.ReasonInvalidInput,
			"the keys of yourApp and yourAppFrom take more than the %d bytes that status has room for, "+
				"of which keys from Secrets take twice as many: use shorter keys or fewer", mostKeyBytes)
	}
	return nil
}

// fits makes sure that status can list the fields: what is not listed there is never taken
// back.
func (c *config) fits() error {
	if count := len(c.Fields) + len(c.unset); count > mostFields {
		return stalledBy(v1alpha1.ReasonInvalidInput,
			"there are %d fields, those that are still to be taken back among them, and status has room for %d: list fewer until they are",
			count, mostFields)
	}
	return nil
}
