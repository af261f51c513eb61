package controller

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// FuzzSecret: whatever a Secret holds, nothing of it is in an error or in a text
// that was redacted.
func FuzzSecret(f *testing.F) {
	for _, content := range []string{
		"hunter2", "hunter2\n", `{"token":"hunter2"}`, `{"a":["hunter2",{"b":123456789}]}`, `{"a":"quo\"ted"}`, "", "{", "\x00\xff\xfe", `[1]`, `{"a":"é\u2028"}`, "    ", `"hunter2"`,
	} {
		f.Add([]byte(content), "Cobalt says: ")
	}
	f.Fuzz(func(t *testing.T, content []byte, before string) {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "inputs"}, Data: map[string][]byte{"key": content},
		}
		reader := inputs.NewStore(nil, fake.NewClientBuilder().WithObjects(secret).Build()).Open()
		ref := inputs.Reference{Kind: inputs.KindSecret, Namespace: "default", Name: "inputs"}
		object, objectErr := reader.Object(t.Context(), ref, "key")
		_, textErr := reader.Text(t.Context(), ref, "key")
		value := strings.TrimSpace(string(content))
		if len(value) < inputs.ShortestSecret || strings.Contains(before, value) || strings.Contains(ref.String()+redact.Mark, value) {
			return
		}
		for _, err := range []error{objectErr, textErr} {
			// A piece of ordinary English is no leak; a whole secret is.
			if err != nil && len(value) > 12 && strings.Contains(err.Error(), value) {
				t.Errorf("%q stands in %q", value, err)
			}
		}
		quoted, err := json.Marshal(map[string]any{"said": value, "object": object})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{before + value, before + string(quoted)} {
			if strings.Contains(reader.Redact(text), value) {
				t.Errorf("%q is still in %q", value, reader.Redact(text))
			}
		}
	})
}
