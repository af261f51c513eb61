package controller

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// The kinds that hold inputs.
const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)

// Reference names a Secret or ConfigMap.
type Reference struct{ Kind, Namespace, Name string }

func (r Reference) String() string { return r.Kind + " " + r.Namespace + "/" + r.Name }

func (r Reference) key() types.NamespacedName {
	return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
}

// references of value sources, in the namespace of the object that has them.
func references(namespace string, sources []v1alpha1.ValueSource) []Reference {
	var refs []Reference
	for _, source := range sources {
		ref, _ := sourceReference(namespace, source)
		refs = append(refs, ref)
	}
	return refs
}

func sourceReference(namespace string, source v1alpha1.ValueSource) (ref Reference, key string) {
	if secret := source.SecretKeyRef; secret != nil {
		return Reference{kindSecret, namespace, secret.Name}, secret.Key
	}
	return Reference{kindConfigMap, namespace, source.ConfigMapKeyRef.Name}, source.ConfigMapKeyRef.Key
}

// inputStore reads Secrets and ConfigMaps. The cache holds only their metadata;
// contents are read from the API server when needed, and never kept.
type inputStore struct {
	metadata client.Reader
	contents client.Reader
}

// version stands for the present versions of refs: it changes when one of them
// is changed, deleted or created anew. It costs no request.
func (s inputStore) version(ctx context.Context, refs []Reference) (string, error) {
	if len(refs) == 0 {
		return "", nil
	}
	sorted := slices.SortedFunc(slices.Values(refs), func(a, b Reference) int { return cmp.Compare(a.String(), b.String()) })
	hash := sha256.New()
	for _, ref := range slices.Compact(sorted) {
		meta := &metav1.PartialObjectMetadata{}
		meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(ref.Kind))
		if err := s.metadata.Get(ctx, ref.key(), meta); client.IgnoreNotFound(err) != nil {
			return "", fmt.Errorf("read %s: %w", ref, err)
		}
		_, _ = io.WriteString(hash, fmt.Sprintf("%s\x00%s\x00%s\n", ref, meta.UID, meta.ResourceVersion))
	}
	return hex.EncodeToString(hash.Sum(nil))[:32], nil
}

// Inputs reads the contents of Secrets and ConfigMaps during one pass, each once.
type Inputs struct {
	contents client.Reader
	read     map[Reference]map[string][]byte
	secrets  redact.Secrets
}

func (s inputStore) open() *Inputs {
	return &Inputs{contents: s.contents, read: map[Reference]map[string][]byte{}}
}

// Value returns what a key of a Secret or ConfigMap holds. It returns waiting
// while either is missing.
func (i *Inputs) Value(ctx context.Context, ref Reference, key string) ([]byte, error) {
	data, err := i.All(ctx, ref)
	if err != nil {
		return nil, err
	}
	value, ok := data[key]
	if !ok {
		return nil, waitingFor(notFoundReason(ref.Kind), "%s has no key %q: add it, or correct the reference", ref, key)
	}
	return value, nil
}

// All returns every key of a Secret or ConfigMap.
func (i *Inputs) All(ctx context.Context, ref Reference) (map[string][]byte, error) {
	if data, ok := i.read[ref]; ok {
		return data, nil
	}
	data, err := i.get(ctx, ref)
	switch {
	case apierrors.IsNotFound(err):
		return nil, waitingFor(notFoundReason(ref.Kind), "%s does not exist: create it, or correct the reference", ref)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", ref, err)
	}
	i.read[ref] = data
	return data, nil
}

func (i *Inputs) get(ctx context.Context, ref Reference) (map[string][]byte, error) {
	if ref.Kind == kindSecret {
		secret := &corev1.Secret{}
		if err := i.contents.Get(ctx, ref.key(), secret); err != nil {
			return nil, err
		}
		for _, value := range secret.Data {
			i.Hide(string(value))
		}
		return secret.Data, nil
	}
	configMap := &corev1.ConfigMap{}
	if err := i.contents.Get(ctx, ref.key(), configMap); err != nil {
		return nil, err
	}
	data := make(map[string][]byte, len(configMap.Data)+len(configMap.BinaryData))
	for key, value := range configMap.Data {
		data[key] = []byte(value)
	}
	maps.Copy(data, configMap.BinaryData)
	return data, nil
}

func notFoundReason(kind string) string {
	if kind == kindSecret {
		return v1alpha1.ReasonSecretNotFound
	}
	return v1alpha1.ReasonConfigMapNotFound
}

// redacted stands where a secret was.
const redacted = redact.Mark

// shortestSecret is the length from which a value is taken out of texts: taking
// out "1" or "eu" would hide nothing and garble every message.
const shortestSecret = 4

// Hide has value taken out of every text of this pass that people can read, also as
// JSON inside a text has it, and as it stands on one line.
func (i *Inputs) Hide(value string) {
	if value = strings.TrimSpace(strings.TrimPrefix(value, byteOrderMark)); len(value) < shortestSecret {
		return
	}
	i.secrets.Add(value)
	i.secrets.Add(strings.Join(strings.Fields(value), " "))
	if !strings.ContainsFunc(value, isEscaped) {
		return
	}
	for _, escaped := range []string{jsonvalue.Text(value), quoted(value)} {
		i.secrets.Add(escaped[1 : len(escaped)-1])
	}
}

// isEscaped tells whether JSON writes a character in another way, in HTML at least.
func isEscaped(r rune) bool {
	return r < ' ' || r == utf8.RuneError || strings.ContainsRune("\"\\<>&\u2028\u2029", r)
}

// quoted is a text as JSON, without the escapes that only HTML needs.
func quoted(value string) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // a string always can be
	return strings.TrimSpace(text.String())
}

// Redact takes the secrets that were read out of a text, and cuts it where it is longer
// than anything that is shown.
func (i *Inputs) Redact(text string) string { return i.secrets.Redact(text, longestSentence) }

// Text returns what a key of a Secret or ConfigMap holds as a JSON string.
func (i *Inputs) Text(ctx context.Context, ref Reference, key string) (json.RawMessage, error) {
	data, err := i.Value(ctx, ref, key)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, stalledBy(v1alpha1.ReasonInvalidInput, "%s, key %s does not hold text", ref, key)
	}
	i.Hide(string(data))
	return json.Marshal(string(data))
}

// Object returns the JSON object that a key of a Secret or ConfigMap holds.
func (i *Inputs) Object(ctx context.Context, ref Reference, key string) (map[string]any, error) {
	data, err := i.Value(ctx, ref, key)
	if err != nil {
		return nil, err
	}
	object, err := jsonvalue.DecodeObject(data)
	if err != nil { // what is wrong with it could quote the content
		return nil, stalledBy(v1alpha1.ReasonInvalidInput, "%s, key %s does not hold a JSON object", ref, key)
	}
	if ref.Kind == kindSecret {
		i.hideLeaves(object)
	}
	return object, nil
}

// hideLeaves hides each text inside a JSON value that came from a Secret.
func (i *Inputs) hideLeaves(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			i.hideLeaves(inner)
		}
	case []any:
		for _, inner := range value {
			i.hideLeaves(inner)
		}
	case string:
		i.Hide(value)
	case json.Number:
		i.Hide(value.String())
	}
}
