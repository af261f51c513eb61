package inputs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Used is what is remembered of the Secrets and ConfigMaps that an object uses.
type Used struct {
	// Edition counts how often the keys that are used have come to hold something else.
	Edition int64
	// version stands for the versions that were last looked at.
	version string
	// Told is the version under which the status speaks of this edition, or will.
	Told string
	// hash stands for what the keys hold; empty if that is not known.
	hash string
}

// UnknownEdition is none that an object has had since the operator started.
const UnknownEdition = -1

// StatusOf is the part of the status of obj that speaks of its inputs; nil if its kind has none.
func StatusOf(obj object.Object) *v1alpha1.InputsStatus {
	switch obj := obj.(type) {
	case object.Managed:
		return &obj.CommonStatus().InputsStatus
	case *v1alpha1.EventTrigger:
		return &obj.Status.InputsStatus
	}
	return nil
}

// IsIn tells whether the status of obj speaks of this edition.
func (u Used) IsIn(obj object.Object) bool {
	status := StatusOf(obj)
	return status == nil || status.InputsVersion == u.Told
}

// Look finds out whether what obj uses is what it was. Versions go first, which cost nothing;
// where they differ, a hash of what is used tells, and the source is read once for all.
func (s Store) Look(ctx context.Context, obj object.Object, uses []Use, known Used) (Used, error) {
	status := StatusOf(obj)
	if status == nil {
		return known, nil
	}
	if known == (Used{}) { // after a restart
		known = Used{version: status.InputsVersion, Told: status.InputsVersion, hash: status.InputsHash}
	}
	used, err := s.Compare(ctx, uses, known)
	if used.version == status.InputsVersion {
		used.Told = used.version
	}
	return used, err
}

// Compare is Look for what is in no status.
func (s Store) Compare(ctx context.Context, uses []Use, known Used) (Used, error) {
	version, err := s.version(ctx, uses)
	if err != nil || version == known.version {
		return known, err
	}
	if known.hash != "" {
		held, err := s.content(ctx, uses, nil)
		if err == nil && hash.Matches(known.hash, "", held) { // or else the run will tell what is wrong
			known.version = version
			return known, nil
		}
	}
	return Used{Edition: known.Edition + 1, version: version, Told: version}, nil
}

// version stands for the present versions of what is used: it changes when a Secret or
// ConfigMap is changed, deleted or created anew. It costs no request.
func (s Store) version(ctx context.Context, uses []Use) (string, error) {
	if len(uses) == 0 {
		return "", nil
	}
	sum := sha256.New()
	for _, ref := range ReferencesOf(uses) {
		version, err := s.versionOf(ctx, ref)
		if err != nil {
			return "", err
		}
		_, _ = io.WriteString(sum, fmt.Sprintf("%s\x00%s\n", ref, version))
	}
	return hex.EncodeToString(sum.Sum(nil))[:32], nil
}

func (s Store) versionOf(ctx context.Context, ref Reference) (string, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(ref.Kind))
	if err := s.metadata.Get(ctx, ref.key(), meta); client.IgnoreNotFound(err) != nil {
		return "", fmt.Errorf("read %s: %w", ref, err)
	}
	return sourceVersion(meta), nil
}

// content stands for what the keys hold that are used: what a run has read of them, and of
// the rest what there is now.
func (s Store) content(ctx context.Context, uses []Use, read *Reader) ([]byte, error) {
	return contentOf(uses, func(ref Reference) (facts, error) {
		if own, ok := read.source(ref); ok {
			return own.facts(), nil
		}
		version, err := s.versionOf(ctx, ref)
		if err != nil {
			return facts{}, err
		}
		return s.sources.of(ctx, ref, version)
	})
}

func contentOf(uses []Use, find func(Reference) (facts, error)) ([]byte, error) {
	var (
		text  strings.Builder
		ref   Reference
		found facts
	)
	for _, use := range inOrder(uses) {
		if use.Reference != ref {
			var err error
			if found, err = find(use.Reference); err != nil {
				return nil, err
			}
			ref = use.Reference
		}
		text.WriteString(found.describe(use))
	}
	return []byte(text.String()), nil
}

var errNotRead = errors.New("the run has not read it")

// Learn notes what a run has used, if it has read all of that. Contents that are newer than
// their version count only if the run ended well: if not, the version is still to come, and
// tells that there is something to do.
func (u *Used) Learn(uses []Use, read *Reader, well bool) {
	held, err := contentOf(uses, func(ref Reference) (facts, error) {
		if own, ok := read.source(ref); ok {
			return own.facts(), nil
		}
		return facts{}, errNotRead
	})
	if err == nil && len(uses) > 0 && (well || u.hash == "") && !hash.Matches(u.hash, "", held) {
		u.hash = hash.Salted("", held)
	}
}

// Record has a status that is written anyway, and speaks of this edition, speak of its newest version.
func (s Store) Record(ctx context.Context, obj object.Object, uses []Use, used Used, read *Reader) Used {
	status := StatusOf(obj)
	if status == nil || !used.IsIn(obj) {
		return used
	}
	if used.hash == "" && len(uses) > 0 {
		if held, err := s.content(ctx, uses, read); err == nil { // or else the next change is looked at without it
			used.hash = hash.Salted("", held)
		}
	}
	if trigger, ok := obj.(*v1alpha1.EventTrigger); ok {
		trigger.Status.RenameInputs(used.Told, used.version)
	}
	status.InputsVersion, status.InputsHash, used.Told = used.version, used.hash, used.version
	return used
}
