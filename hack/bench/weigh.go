package main

import (
	"context"
	"fmt"
	"time"
)

// weighed is the namespace of the many accounts.
const weighed = "many"

// weigh brings many accounts to Cobalt, and measures what the operator takes while nothing happens, and after restarts.
func (b *bench) weigh(ctx context.Context) error {
	count := b.options.many
	at, err := b.stock(ctx, weighed, count)
	if err != nil {
		return err
	}
	flags, profile, err := b.profiled(ctx)
	if err != nil {
		return err
	}
	profiles := make(chan error, 1)
	r, process, err := b.bring(ctx, weighed, count, at, func(ctx context.Context, namespace string, at *api) (*process, error) {
		operator, err := b.operate(ctx, namespace, []*api{at}, flags...)
		if err != nil {
			return nil, err
		}
		if err := operator.isReady(ctx); err != nil {
			return nil, err
		}
		go func() { profiles <- profile("busy", 20) }()
		return operator, nil
	})
	if err != nil {
		return err
	}
	defer process.Stop()
	p, n := b.report.part(fmt.Sprintf("%d LinkedAccounts", count)), float64(count)
	p.add("CPU", r.usage.cpu, "s", nil)
	p.headline("calls per object", float64(total(r.calls))/n, "", atMost(1.01))
	p.headline("writes per object", float64(r.writes.of("linkedaccounts"))/n, "", atMost(2))
	p.add("peak RSS", r.usage.peak, "MB", nil)
	if err := <-profiles; err != nil {
		return err
	}
	if err := b.idle(ctx, p, process, at); err != nil {
		return err
	}
	if err := profile("idle", 1); err != nil {
		return err
	}
	process.Stop()
	if err := b.restart(ctx, at); err != nil {
		return err
	}
	return b.quiet(ctx, at)
}

// idle measures a while in which nobody asks for anything. Looks at what was just made are still to come.
func (b *bench) idle(ctx context.Context, p *part, operator *process, at *api) error {
	if err := pass(ctx, b.options.window/2); err != nil { // for the garbage of the work to be collected
		return err
	}
	before, err := usageOf(operator.PID)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := pass(ctx, b.options.window); err != nil {
		return err
	}
	after, err := usageOf(operator.PID)
	if err != nil {
		return err
	}
	p.headline("RSS when idle", after.rss, "MB", atMost(150))
	p.headline("CPU when idle", (after.cpu-before.cpu)/time.Since(start).Seconds(), "cores", atMost(0.01))
	p.add("calls when idle", float64(len(at.since(start))), "", nil)
	return nil
}

// one creates an account more, and returns how long it takes to be Ready.
func (b *bench) one(ctx context.Context, namespace string, i int) (seconds float64, err error) {
	account, start := accounts(namespace, defaultName)(i), time.Now()
	if err := b.plane.Client.Create(ctx, account); err != nil {
		return 0, err
	}
	ready, err := b.seen.one(ctx, account)
	return ready.Sub(start).Seconds(), err
}

// quiet measures one sync interval of an operator that has been at it for a while.
func (b *bench) quiet(ctx context.Context, at *api) error {
	window := b.options.window
	flags, profile, err := b.profiled(ctx)
	if err != nil {
		return err
	}
	operator, err := b.operate(ctx, weighed, []*api{at}, append(flags, "--sync-interval="+window.String())...)
	if err != nil {
		return err
	}
	defer operator.Stop()
	if err := pass(ctx, window+window/4); err != nil { // the first looks are spread over the first interval
		return err
	}
	before, err := usageOf(operator.PID)
	if err != nil {
		return err
	}
	writes, err := b.writes(ctx)
	if err != nil {
		return err
	}
	profiles, start := make(chan error, 1), time.Now()
	go func() { profiles <- profile("quiet", int(window.Seconds())) }()
	if err := pass(ctx, window); err != nil {
		return err
	}
	after, err := usageOf(operator.PID)
	if err != nil {
		return err
	}
	later, err := b.writes(ctx)
	if err != nil {
		return err
	}
	calls := map[string]int{}
	for _, call := range at.since(start) {
		if call.Time.Before(start.Add(window)) {
			calls[call.Operation]++
		}
	}
	p, cpu := b.report.part(fmt.Sprintf("a sync interval of %s with %d", window, b.options.many)), after.cpu-before.cpu
	p.headline("lists of accounts", float64(calls["listLinkedAccounts"]), "", atMost(1))
	p.headline("other calls", float64(total(calls)-calls["listLinkedAccounts"]), "", atMost(1))
	p.headline("writes", float64(later.since(writes).objects()), "", atMost(0))
	p.add("RSS", after.rss, "MB", atMost(150))
	p.add("CPU", cpu/window.Seconds(), "cores", nil)
	p.add(fmt.Sprintf("CPU, spread over the usual %s", usualInterval), cpu/usualInterval.Seconds(), "cores", atMost(0.01))
	return <-profiles
}

// usualInterval is the default of --sync-interval.
const usualInterval = 10 * time.Minute
