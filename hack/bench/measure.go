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
		{"mix", b.afresh(b.mix)}, {"sweep", b.afresh(b.sweep)}, {"weigh", b.afresh(b.weigh)},
		{"grow", b.afresh(b.grow)},
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

// pair is what operator and bare client took, one after the other.
type pair struct{ operator, bare *result }

func ofOperator(p pair) float64 { return p.operator.seconds }
func ofBare(p pair) float64     { return p.bare.seconds }

// runs are all with as many accounts.
type runs []pair

// seconds are how long one of the two took each time.
func (r runs) seconds(of func(pair) float64) []float64 {
	var seconds []float64
	for _, p := range r {
		seconds = append(seconds, of(p))
	}
	return seconds
}

// mean of how long something took. It is no median: many accounts take their share of what slows the machine down
// now and then, and few must as well.
func mean(seconds []float64) float64 {
	sum := 0.0
	for _, s := range seconds {
		sum += s
	}
	return sum / float64(len(seconds))
}

// compare runs bare client and operator in turn, with few accounts and with many. The machine grows slower and faster
// meanwhile. Many take long enough to see both; few come often, before and after them.
func (b *bench) compare(ctx context.Context) error {
	var few, many runs
	for range b.options.rounds {
		for _, taken := range []*runs{&few, &few, &many, &few, &few} {
			count := b.options.few
			if taken == &many {
				count = b.options.many
			}
			p, err := b.both(ctx, count)
			if err != nil {
				return err
			}
			*taken = append(*taken, p)
		}
	}
	p, last, n := b.sideBySide(b.options.few, few, atMost(1.3)), few[len(few)-1], float64(b.options.few)
	p.add("CPU", last.operator.usage.cpu, "s", nil)
	p.add("CPU of the bare client", last.bare.usage.cpu, "s", nil)
	p.add("calls per object", float64(total(last.operator.calls))/n, "", atMost(1.01))
	p.add("writes per object", float64(last.operator.writes.of("linkedaccounts"))/n, "", atMost(2))
	p.add("events per object", float64(last.operator.writes[eventResource])/n, "", nil)
	p.add("events per object, bare client", float64(last.bare.writes[eventResource])/n, "", nil)

	p = b.sideBySide(b.options.many, many, nil)
	grows := fmt.Sprintf("time, compared with %d", b.options.few)
	p.headline(grows, mean(many.seconds(ofOperator))/mean(few.seconds(ofOperator)), "×", atMost(1.1*float64(b.options.many)/n))
	p.headline(grows+", bare client", mean(many.seconds(ofBare))/mean(few.seconds(ofBare)), "×", nil)
	return nil
}

// both has the bare client and then the operator bring as many accounts to Cobalt.
func (b *bench) both(ctx context.Context, count int) (p pair, err error) {
	run := func(start starter) (r *result, err error) {
		err = b.afresh(func(ctx context.Context) (err error) {
			r, err = b.run(ctx, "compared", count, start)
			return err
		})(ctx)
		return r, err
	}
	if p.bare, err = run(b.bare); err != nil {
		return p, err
	}
	p.operator, err = run(b.operatorAt)
	return p, err
}

// sideBySide begins the part of as many accounts with the times that they took.
func (b *bench) sideBySide(count int, taken runs, wanted *target) *part {
	p, seconds := b.report.part(fmt.Sprintf("%d LinkedAccounts", count)), taken.seconds(ofOperator)
	took, bare := mean(seconds), mean(taken.seconds(ofBare))
	p.add("time until all are Ready", took, "s", nil)
	p.add(fmt.Sprintf("the shortest of %d runs", len(taken)), slices.Min(seconds), "s", nil)
	p.add(fmt.Sprintf("the longest of %d runs", len(taken)), slices.Max(seconds), "s", nil)
	p.add("objects", float64(count)/took, "/s", nil)
	p.add("time of the bare client", bare, "s", nil)
	p.headline("time, operator to bare client", took/bare, "×", wanted)
	return p
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
