package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

func TestLinkedAccountMarks(t *testing.T) {
	t.Parallel()
	const created, adopted, rejected = v1alpha1.OriginCreated, v1alpha1.OriginAdopted, v1alpha1.ReasonRejected
	for name, tc := range map[string]struct {
		// id is what the status tells of, gone what is marked as vanished, remote what is in Cobalt.
		id, gone, remote string
		marked, told     v1alpha1.Origin
		reason           string
		want             v1alpha1.Origin
		wantGone         string // what is marked as vanished then
	}{
		"new":                           {want: created},
		"there before":                  {remote: "1", want: adopted},
		"as it was":                     {id: "1", remote: "1", marked: created, want: created},
		"vanished":                      {id: "1", marked: created, want: created, wantGone: "1"},
		"back again":                    {id: "1", gone: "1", remote: "1", marked: created, want: created},
		"made anew by others":           {id: "1", remote: "2", marked: created, want: adopted},
		"made anew by us, then a crash": {id: "1", gone: "1", remote: "2", marked: created, want: created, wantGone: "1"},
		"made anew by others, after Cobalt had refused us": {
			id: "1", gone: "1", remote: "2", marked: created, told: created, reason: rejected, want: adopted, wantGone: "1",
		},
		"made by others, after Cobalt had refused us": {remote: "1", marked: created, reason: rejected, want: adopted},
		"refused a change":                            {id: "1", remote: "1", marked: created, told: created, reason: rejected, want: created},
		"handed over after it was adopted":            {id: "1", remote: "1", marked: created, told: created, want: created},
		"adopted, whatever an annotation says":        {id: "1", remote: "1", marked: created, told: adopted, want: adopted},
		"of which an annotation is lost":              {id: "1", remote: "1", told: created, want: created},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme"}}
			obj.Status.ID, obj.Status.Origin = tc.id, tc.told
			obj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: tc.reason}}
			for name, value := range map[string]string{vanishedMark: tc.gone, originMark: string(tc.marked)} {
				if value != "" {
					setMark(obj, name, value)
				}
			}
			var remote *account
			if tc.remote != "" {
				remote = &account{LinkedAccount: cobalt.LinkedAccount{ID: tc.remote}}
			}
			if got := (linkedAccounts{}).Origin(obj, remote); got != tc.want {
				t.Errorf("origin is %s, want %s", got, tc.want)
			}
			for name, value := range (linkedAccounts{}).Marks(obj, remote) {
				setMark(obj, name, value)
			}
			if got, ok := recordedOrigin(obj); ok && tc.told == "" && got.of(time.Time{}, created) != tc.want {
				t.Errorf("the annotation says %s, want %s", got, tc.want)
			}
			if got, _ := mark(obj, vanishedMark); got != tc.wantGone {
				t.Errorf("vanished is %q, want %q", got, tc.wantGone)
			}
		})
	}
}
