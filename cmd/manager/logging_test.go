package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// encoded counts how often it is encoded.
type encoded struct{ times int }

func (e *encoded) MarshalLogObject(zapcore.ObjectEncoder) error {
	e.times++
	return nil
}

func TestLogIsJSONWithALineForEachProblem(t *testing.T) {
	t.Parallel()
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	var object encoded
	logger := zap.New(zap.UseFlagOptions(&o.log), zap.WriteTo(&log)).WithValues("object", &object).WithValues("reconcileID", "1")
	logger.V(1).Info("Reconciling")
	if object.times != 0 {
		t.Error("what belongs to no line was encoded")
	}
	logger.Error(errors.New("no answer"), "Reconciler error")
	var line map[string]any
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	delete(line, "ts")
	want := map[string]any{
		"level": "error", "msg": "Reconciler error", "error": "no answer", "object": map[string]any{}, "reconcileID": "1",
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
}
