package controller

import (
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

func TestLinkedAccountMarks(t *testing.T) {
	t.Parallel()
	const origin, gone = "origin", "vanished"
	for name, tc := range map[string]struct {
		// id is what the status tells of, marked what has vanished, remote what is in Cobalt.
		id, marked, remote string
		want               map[string]string
	}{
		"new":                            {want: map[string]string{origin: "created"}},
		"there before":                   {remote: "1", want: map[string]string{origin: "adopted"}},
		"as it was":                      {id: "1", remote: "1", want: map[string]string{origin: "adopted"}},
		"vanished":                       {id: "1", want: map[string]string{origin: "created", gone: "1"}},
		"back again":                     {id: "1", marked: "1", remote: "1", want: map[string]string{origin: "adopted", gone: ""}},
		"made anew by others":            {id: "1", remote: "2", want: map[string]string{origin: "adopted"}},
		"made anew, and the status lags": {id: "1", marked: "1", remote: "2", want: map[string]string{origin: "adopted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme"}}
			obj.Status.ID = tc.id
			if tc.marked != "" {
				setMark(obj, vanishedMark, tc.marked)
			}
			var remote *account
			if tc.remote != "" {
				remote = &account{LinkedAccount: cobalt.LinkedAccount{ID: tc.remote}}
			}
			marks := map[string]string{}
			for mark, short := range map[string]string{originMark: origin, vanishedMark: gone} {
				if value, ok := (linkedAccounts{}).Marks(obj, remote)[mark]; ok {
					marks[short] = value
				}
			}
			if !maps.Equal(marks, tc.want) {
				t.Errorf("marks are %v, want %v", marks, tc.want)
			}
		})
	}
}
