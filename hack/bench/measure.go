package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// measure runs the parts that were asked for.
func (b *bench) measure(ctx context.Context) error {
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"compare", b.compare}, {"pace", b.afresh(b.keepPace)}, {"storm", b.afresh(b.storm)}, {"beside", b.afresh(b.failBeside)},
		{"mix", b.afresh(b.mix)}, {"sweep", b.afresh(b.sweep)}, {"weigh", b.afresh(b.bareMany)}, {"weigh", b.afresh(b.weigh)},
	} {
		if b.options.parts != "" && !slices.Contains(strings.Split(b.options.parts, ","), part.name) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// result is what bringing accounts to Cobalt took.
type result struct {
	seconds float64
	usage   usage
	calls   map[string]int
	writes  counts
}

// starter starts what brings accounts to Cobalt.
type starter func(ctx context.Context, namespace string, at *api) (*process, error)

func (b *bench) operatorAt(ctx context.Context, namespace string, at *api) (*process, error) {
	return b.operate(ctx, namespace, []*api{at})
}

// run has accounts that exist already brought to Cobalt. Time begins with the first call, so that how long a process
// takes to start does not count.
func (b *bench) run(ctx context.Context, namespace string, count int, start starter) (*result, error) {
	at, err := b.stock(ctx, namespace, count)
	if err != nil {
		return nil, err
	}
	r, p, err := b.bring(ctx, namespace, count, at, start)
	if err != nil {
		return nil, err
	}
	p.Stop()
	return r, nil
}

// stock makes accounts that nobody looks after yet, and the API where they are to be.
func (b *bench) stock(ctx context.Context, namespace string, count int) (*api, error) {
	at, err := serve(ctx, 0)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(ctx, namespace, environment(defaultName, at, unlimited)); err != nil {
		return nil, err
	}
	return at, b.create(ctx, count, accounts(namespace, defaultName))
}

// bring starts a process, and waits until all accounts of its namespace are Ready.
func (b *bench) bring(ctx context.Context, namespace string, count int, at *api, start starter) (*result, *process, error) {
	before, err := b.writes(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := start(ctx, namespace, at)
	if err != nil {
		return nil, nil, err
	}
	first, err := at.first(ctx)
	if err != nil {
		return nil, nil, err
	}
	last, err := b.seen.all(ctx, namespace, count)
	if err != nil {
		return nil, nil, err
	}
	used, err := usageOf(p.PID)
	if err != nil {
		return nil, nil, err
	}
	if err := pass(ctx, settling); err != nil {
		return nil, nil, err
	}
	after, err := b.writes(ctx)
	return &result{last.Sub(first).Seconds(), used, at.Calls(), after.since(before)}, p, err
}

// settling is how long events may still be on their way when all objects are Ready.
const settling = 2 * time.Second

// compare runs operator and bare client in turn.
func (b *bench) compare(ctx context.Context) error {
	var times, bareTimes, ratios []float64
	var operator, bare *result
	runs := func(start starter, r **result) func(context.Context) error {
		return b.afresh(func(ctx context.Context) (err error) {
			*r, err = b.run(ctx, "few", b.options.few, start)
			return err
		})
	}
	for range b.options.rounds {
		if err := runs(b.bare, &bare)(ctx); err != nil {
			return err
		}
		if err := runs(b.operatorAt, &operator)(ctx); err != nil {
			return err
		}
		times, bareTimes = append(times, operator.seconds), append(bareTimes, bare.seconds)
		ratios = append(ratios, operator.seconds/bare.seconds)
	}
	p, n := b.report.part(fmt.Sprintf("%d LinkedAccounts", b.options.few)), float64(b.options.few)
	p.add("time until all are Ready", median(times), "s", nil)
	p.add("objects", n/median(times), "/s", nil)
	p.add("time of the bare client", median(bareTimes), "s", nil)
	p.headline("time, operator to bare client", median(ratios), "×", atMost(1.3))
	p.add("CPU", operator.usage.cpu, "s", nil)
	p.add("CPU of the bare client", bare.usage.cpu, "s", nil)
	p.add("calls per object", float64(total(operator.calls))/n, "", atMost(1.01))
	p.add("writes per object", float64(operator.writes.of("linkedaccounts"))/n, "", atMost(2))
	p.add("events per object", float64(operator.writes[eventResource])/n, "", nil)
	p.add("events per object, bare client", float64(bare.writes[eventResource])/n, "", nil)
	b.few = pair{operator: median(times), bare: median(bareTimes)}
	return nil
}

// bareMany has the bare client bring as many accounts to Cobalt as the operator will be weighed with.
func (b *bench) bareMany(ctx context.Context) error {
	r, err := b.run(ctx, weighed, b.options.many, b.bare)
	if err == nil {
		b.many.bare = r.seconds
	}
	return err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// mix brings all kinds to Cobalt at once.
func (b *bench) mix(ctx context.Context) error {
	const namespace = "mixed"
	count := b.options.mixed
	if count == 0 {
		return nil
	}
	at, err := b.stock(ctx, namespace, count)
	if err != nil {
		return err
	}
	for _, object := range []object{configs(namespace), webhooks(namespace), workflows(namespace), triggers(namespace)} {
		if err := b.create(ctx, count, object); err != nil {
			return err
		}
	}
	r, process, err := b.bring(ctx, namespace, len(kinds)*count, at, b.operatorAt)
	if err != nil {
		return err
	}
	defer process.Stop()
	p, n := b.report.part(fmt.Sprintf("%d of each kind", count)), float64(count)
	p.add("time until all are Ready", r.seconds, "s", nil)
	p.add("objects", n*float64(len(kinds))/r.seconds, "/s", nil)
	p.add("CPU", r.usage.cpu, "s", nil)
	p.add("peak RSS", r.usage.peak, "MB", nil)
	p.add("calls for one of each kind", float64(total(r.calls))/n, "", nil)
	// All but accounts appear before what they wait for, and say so once, which is a write more than they need.
	for _, resource := range []string{"linkedaccounts", "integrationconfigs", "webhooks", "publicworkflows", "eventtriggers"} {
		p.add("writes per object, "+resource, float64(r.writes.of(resource))/n, "", nil)
	}
	p.add("writes to Secrets", float64(r.writes[schema.GroupResource{Resource: "secrets"}]), "", atMost(0))
	return nil
}
