// Package inputs reads the Secrets and ConfigMaps that objects use, tells whether what they use of them has changed, and
// takes what came from Secrets out of texts. Nothing but facts is kept of contents: hashes, in fixed size.
package inputs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// The kinds that hold inputs.
const (
	KindSecret    = "Secret"
	KindConfigMap = "ConfigMap"
)

// Store reads Secrets and ConfigMaps. The cache holds only their metadata; contents
// are read from the API server when needed, and nothing but facts is kept of them.
type Store struct {
	metadata client.Reader
	contents client.Reader
	sources  *sources
}

// Reader reads the contents of Secrets and ConfigMaps during one run, each once.
type Reader struct {
	contents client.Reader
	read     map[Reference]source
	secrets  redact.Secrets
}

// source is a Secret or ConfigMap as it was read; without a name it does not exist.
type source struct {
	metav1.ObjectMeta
	data map[string][]byte
}

// NewStore returns a store that reads metadata from a cache, and contents from the API server.
func NewStore(metadata, contents client.Reader) Store {
	return Store{metadata, contents, newSources(contents)}
}

// Open returns a reader for one run.
func (s Store) Open() *Reader {
	return &Reader{contents: s.contents, read: map[Reference]source{}}
}

// Value returns what a key of a Secret or ConfigMap holds. It returns waiting
// while either is missing.
func (r *Reader) Value(ctx context.Context, ref Reference, key string) ([]byte, error) {
	data, err := r.All(ctx, ref)
	if err != nil {
		return nil, err
	}
	value, ok := data[key]
	if !ok {
		return nil, condition.WaitingFor(notFoundReason(ref.Kind), "%s has no key %q: add it, or correct the reference", ref, key)
	}
	return value, nil
}

// All returns every key of a Secret or ConfigMap.
func (r *Reader) All(ctx context.Context, ref Reference) (map[string][]byte, error) {
	read, ok := r.read[ref]
	if !ok {
		var err error
		if read, err = readSource(ctx, r.contents, ref); err != nil {
			return nil, err
		}
		r.read[ref] = read
	}
	if read.Name == "" {
		return nil, condition.WaitingFor(notFoundReason(ref.Kind), "%s does not exist: create it, or correct the reference", ref)
	}
	if !ok && ref.Kind == KindSecret {
		for _, value := range read.data {
			r.Hide(string(value))
		}
	}
	return read.data, nil
}

// source is what the run has read of a Secret or ConfigMap, if it has.
func (r *Reader) source(ref Reference) (source, bool) {
	if r == nil {
		return source{}, false
	}
	read, ok := r.read[ref]
	return read, ok
}

// readSource reads a Secret or ConfigMap from the API server.
func readSource(ctx context.Context, contents client.Reader, ref Reference) (source, error) {
	secret, configMap := &corev1.Secret{}, &corev1.ConfigMap{}
	var into client.Object = configMap
	if ref.Kind == KindSecret {
		into = secret
	}
	switch err := contents.Get(ctx, ref.key(), into); {
	case apierrors.IsNotFound(err):
		return source{}, nil
	case err != nil:
		return source{}, fmt.Errorf("read %s: %w", ref, err)
	case ref.Kind == KindSecret:
		return source{secret.ObjectMeta, secret.Data}, nil
	}
	data := make(map[string][]byte, len(configMap.Data)+len(configMap.BinaryData))
	for key, value := range configMap.Data {
		data[key] = []byte(value)
	}
	maps.Copy(data, configMap.BinaryData)
	return source{configMap.ObjectMeta, data}, nil
}

func notFoundReason(kind string) string {
	if kind == KindSecret {
		return v1alpha1.ReasonSecretNotFound
	}
	return v1alpha1.ReasonConfigMapNotFound
}

// ShortestSecret is the length from which a value is taken out of texts: taking
// out "1" or "eu" would hide nothing and garble every message.
const ShortestSecret = 4

// Hide has value taken out of every text of this run that people can read, also as
// JSON inside a text has it, and as it stands on one line.
func (r *Reader) Hide(value string) {
	if value = strings.TrimSpace(strings.TrimPrefix(value, byteOrderMark)); len(value) < ShortestSecret {
		return
	}
	r.secrets.Add(value)
	r.secrets.Add(strings.Join(strings.Fields(value), " "))
	if !strings.ContainsFunc(value, isEscaped) {
		return
	}
	for _, escaped := range []string{jsonvalue.Text(value), quoted(value)} {
		r.secrets.Add(escaped[1 : len(escaped)-1])
	}
}

// isEscaped tells whether JSON writes a character in another way, in HTML at least.
func isEscaped(c rune) bool {
	return c < ' ' || c == utf8.RuneError || strings.ContainsRune("\"\\<>&\u2028\u2029", c)
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
func (r *Reader) Redact(text string) string { return r.secrets.Redact(text, condition.LongestSentence) }

// Text returns what a key of a Secret or ConfigMap holds as a JSON string.
func (r *Reader) Text(ctx context.Context, ref Reference, key string) (json.RawMessage, error) {
	data, err := r.Value(ctx, ref, key)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, condition.StalledBy(v1alpha1.ReasonInvalidInput, "%s, key %s does not hold text", ref, key)
	}
	r.Hide(string(data))
	return json.Marshal(string(data))
}

// Object returns the JSON object that a key of a Secret or ConfigMap holds.
func (r *Reader) Object(ctx context.Context, ref Reference, key string) (map[string]any, error) {
	data, err := r.Value(ctx, ref, key)
	if err != nil {
		return nil, err
	}
	object, err := jsonvalue.DecodeObject(data)
	if err != nil { // what is wrong with it could quote the content
		return nil, condition.StalledBy(v1alpha1.ReasonInvalidInput, "%s, key %s does not hold a JSON object", ref, key)
	}
	if ref.Kind == KindSecret {
		r.hideLeaves(object)
	}
	return object, nil
}

// hideLeaves hides each text inside a JSON value that came from a Secret.
func (r *Reader) hideLeaves(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			r.hideLeaves(inner)
		}
	case []any:
		for _, inner := range value {
			r.hideLeaves(inner)
		}
	case string:
		r.Hide(value)
	case json.Number:
		r.Hide(value.String())
	}
}
