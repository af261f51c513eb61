package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	patience     = 2 * time.Minute  // for the samples to become Ready
	silence      = 10 * time.Second // of the API server, before it counts as gone
	pollInterval = 300 * time.Millisecond
)

// watcher follows the samples of our kinds.
type watcher struct {
	client  client.Client
	samples []sample
	table   *table
}

// settle shows the samples until all are as expected. When their time is up, the error is a lateError.
func (w *watcher) settle(ctx context.Context) error {
	var waiting []row
	start := time.Now()
	err := w.follow(ctx, func(rows []row) bool {
		waiting = unsettled(rows)
		return len(waiting) == 0 || time.Since(start) > patience
	})
	if err != nil || len(waiting) == 0 {
		return err
	}
	return &lateError{rows: w.table.format(waiting)}
}

// lateError says which samples were not as expected in time.
type lateError struct{ rows []string }

func (e *lateError) Error() string {
	return fmt.Sprintf("not as expected within %s:\n%s", patience, strings.Join(e.rows, "\n"))
}

// stay shows what changes until ctx ends.
func (w *watcher) stay(ctx context.Context) error {
	return w.follow(ctx, func([]row) bool { return false })
}

// follow shows the samples until done, and returns an error when it has to give up before.
func (w *watcher) follow(ctx context.Context, done func([]row) bool) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	heard := time.Now()
	for {
		rows, err := w.observe(ctx)
		switch {
		case err == nil:
			heard = time.Now()
			w.table.show(rows)
			if done(rows) {
				return nil
			}
		case time.Since(heard) > silence:
			return fmt.Errorf("the API server is gone: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
	}
}

// observe reads the samples of our kinds.
func (w *watcher) observe(ctx context.Context) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	var rows []row
	for _, s := range w.samples {
		if !s.shown() {
			continue
		}
		live := s.obj.DeepCopy()
		err := w.client.Get(ctx, client.ObjectKeyFromObject(s.obj), live)
		switch {
		case apierrors.IsNotFound(err):
			rows = append(rows, row{kind: s.obj.GetKind(), name: name(s.obj), ready: "-", reason: "-", message: "deleted"})
		case err != nil:
			return nil, err
		default:
			rows = append(rows, judge(live, s.obj.GetAnnotations()[expectedReason]))
		}
	}
	return rows, nil
}

// judge says how obj is doing: settled when kstatus calls it current or, if it should show a problem, when its Ready
// condition has the reason wanted.
func judge(obj *unstructured.Unstructured, wantReason string) row {
	r := row{kind: obj.GetKind(), name: name(obj), ready: "-", reason: "-", message: "waiting for the operator"}
	result, err := status.Compute(obj)
	if err != nil {
		r.message = err.Error()
		return r
	}
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions") // no conditions, no change to the row
	for _, condition := range conditions {
		if fields, _ := condition.(map[string]any); fields["type"] == "Ready" {
			r.ready, _ = fields["status"].(string)
			r.reason, _ = fields["reason"].(string)
			r.message, _ = fields["message"].(string)
		}
	}
	observed, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	if wantReason != "" {
		r.settled = r.reason == wantReason && observed == obj.GetGeneration()
	} else {
		r.settled = result.Status == status.CurrentStatus
	}
	return r
}

func name(obj *unstructured.Unstructured) string {
	return strings.TrimPrefix(obj.GetNamespace()+"/"+obj.GetName(), "/")
}
