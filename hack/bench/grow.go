package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// growing is the namespace of accounts that come while the operator works.
const growing = "growing"

// stage is what an operator has come to while accounts came.
type stage struct {
	accounts int
	at       time.Time
	cpu      float64 // seconds
	looks    float64 // at environments
}

// grow measures what a new account costs among few others, and among ten times as many.
func (b *bench) grow(ctx context.Context) error {
	at, err := serve(ctx, 0)
	if err != nil {
		return err
	}
	if err := b.prepare(ctx, growing, environment(defaultName, at, unlimited)); err != nil {
		return err
	}
	metrics, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	operator, err := b.operate(ctx, growing, []*api{at}, "--metrics-bind-address="+metrics, "--metrics-secure=false")
	if err != nil {
		return err
	}
	defer operator.Stop()
	if err := operator.isReady(ctx); err != nil {
		return err
	}
	stages, nth := []stage{}, accounts(growing, defaultName)
	for _, count := range []int{0, b.options.grown / 10, b.options.grown} {
		begun := 0
		if len(stages) > 0 {
			begun = stages[len(stages)-1].accounts
		}
		if err := b.create(ctx, count-begun, func(i int) client.Object { return nth(begun + i) }); err != nil {
			return err
		}
		if _, err := b.seen.all(ctx, growing, count); err != nil {
			return err
		}
		now, err := stageOf(ctx, operator, metrics, count)
		if err != nil {
			return err
		}
		stages = append(stages, now)
	}
	few, many := stages[1].since(stages[0]), stages[2].since(stages[1])
	p := b.report.part(fmt.Sprintf("%d LinkedAccounts that come one by one", b.options.grown))
	p.add(fmt.Sprintf("CPU per object, the first %d", few.accounts), 1000*few.cpuEach(), "ms", nil)
	p.add("CPU per object, all others", 1000*many.cpuEach(), "ms", nil)
	p.headline("CPU per object, others to first", many.cpuEach()/few.cpuEach(), "×", atMost(1.2))
	p.add("looks at the environment a minute, all others", many.looksEach(), "", atMost(7))
	return nil
}

// stretch is what happened from one stage to the next.
type stretch struct {
	accounts int
	cpu      float64
	looks    float64
	took     time.Duration
}

func (s stage) since(before stage) stretch {
	return stretch{s.accounts - before.accounts, s.cpu - before.cpu, s.looks - before.looks, s.at.Sub(before.at)}
}

func (s stretch) cpuEach() float64   { return s.cpu / float64(s.accounts) }
func (s stretch) looksEach() float64 { return s.looks / s.took.Minutes() }

func stageOf(ctx context.Context, operator *process, metrics string, accounts int) (stage, error) {
	used, err := usageOf(operator.PID)
	if err != nil {
		return stage{}, err
	}
	looks, err := looksAt(ctx, metrics)
	return stage{accounts, time.Now(), used.cpu, looks}, err
}

// looksAt counts the runs of an operator's environments, by its own metrics.
func looksAt(ctx context.Context, metrics string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+metrics+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return 0, fmt.Errorf("parse the metrics of the operator: %w", err)
	}
	looks := 0.0
	for _, metric := range families["controller_runtime_reconcile_total"].GetMetric() {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "controller" && strings.EqualFold(label.GetValue(), "environment") {
				looks += metric.GetCounter().GetValue()
			}
		}
	}
	return looks, nil
}
