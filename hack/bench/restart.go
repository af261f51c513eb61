package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// restarts are as many as it takes to tell how long one takes.
const restarts = 5

// restart measures new operators with everything Ready, and the first minute of the last.
func (b *bench) restart(ctx context.Context, at *api) error {
	if err := b.allowElection(ctx, weighed); err != nil {
		return err
	}
	var took []float64
	for i := range restarts - 1 {
		s, err := b.succeed(ctx, at, b.options.many+i)
		if err != nil {
			return err
		}
		took = append(took, s.took)
		if err := pass(ctx, settling); err != nil {
			return err
		}
		s.operator.Stop()
	}
	before, err := b.writes(ctx)
	if err != nil {
		return err
	}
	s, err := b.succeed(ctx, at, b.options.many+restarts-1)
	if err != nil {
		return err
	}
	defer s.operator.Stop()
	if err := pass(ctx, time.Until(s.leads.Add(time.Minute))); err != nil {
		return err
	}
	after, err := b.writes(ctx)
	if err != nil {
		return err
	}
	used, err := usageOf(s.operator.PID)
	if err != nil {
		return err
	}
	p, took := b.report.part(fmt.Sprintf("restart with %d", b.options.many)), append(took, s.took)
	p.add("time until it leads", s.leads.Sub(s.operator.began).Seconds(), "s", nil)
	p.add("time until it says that it is ready", s.ready.Sub(s.operator.began).Seconds(), "s", nil)
	p.headline(fmt.Sprintf("object created then: time until Ready, mean of %d", restarts), mean(took), "s", atMost(1))
	p.add("the shortest", slices.Min(took), "s", nil)
	p.add("the longest", slices.Max(took), "s", nil)
	calls, writes := len(at.since(s.operator.began)), after.since(before).objects()
	// Those of the new object are its creation, two writes, and a look and an upsert.
	p.headline("calls in the first minute for those that were Ready", float64(calls-2), "", atMost(2))
	p.headline("writes in the first minute for those that were Ready", float64(writes-3), "", atMost(0))
	p.add("CPU in the first minute", used.cpu, "s", nil)
	p.add("peak RSS", used.peak, "MB", nil)
	return nil
}

// successor is an operator that leads after another, and says that it is ready.
type successor struct {
	operator     *process
	leads, ready time.Time
	// took are the seconds until an account was Ready that was created when it began to lead.
	took float64
}

// succeed starts an operator where another has stopped, and creates account i as soon as it leads.
func (b *bench) succeed(ctx context.Context, at *api, i int) (*successor, error) {
	operator, err := b.operate(ctx, weighed, []*api{at}, "--leader-elect", "--leader-election-namespace="+weighed)
	if err != nil {
		return nil, err
	}
	s, says := &successor{operator: operator}, make(chan error, 1)
	go func() {
		err := operator.isReady(ctx)
		s.ready = time.Now()
		says <- err
	}()
	if err := b.leads(ctx, weighed); err != nil {
		return nil, err
	}
	s.leads = time.Now()
	if s.took, err = b.one(ctx, weighed, i); err != nil {
		return nil, err
	}
	return s, <-says
}
