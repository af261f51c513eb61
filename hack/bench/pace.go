package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// vendorLimit is a rateLimit of all that the vendor allows, with the burst that is the default.
var vendorLimit = v1alpha1.RateLimit{RequestsPerSecond: vendorRate, Burst: vendorBurst - 1}

// keepPace measures how well the operator uses what a server allows that allows what the environment says.
func (b *bench) keepPace(ctx context.Context) error {
	const namespace = "pace"
	at, err := serve(ctx, vendorRate)
	if err != nil {
		return err
	}
	calls, err := b.limited(ctx, namespace, at, vendorLimit)
	if err != nil {
		return err
	}
	p := b.report.part(fmt.Sprintf("rateLimit %d, server %d/s", vendorRate, vendorRate))
	p.headline("share of the rate used while there is work", used(calls), "", atLeast(0.95))
	p.add("calls refused with 429", float64(refused(calls)), "", atMost(0))
	p.add("calls per object", float64(len(calls))/float64(b.options.some), "", nil)
	return nil
}

// storm measures an environment that allows five times as much as the server does.
func (b *bench) storm(ctx context.Context) error {
	const namespace = "storm"
	at, err := serve(ctx, vendorRate)
	if err != nil {
		return err
	}
	calls, err := b.limited(ctx, namespace, at, v1alpha1.RateLimit{RequestsPerSecond: 5 * vendorRate, Burst: 5 * vendorRate})
	if err != nil {
		return err
	}
	made := sets.New[string]()
	for _, account := range at.State("bench").Accounts {
		made.Insert(account.LinkedAccountID)
	}
	p := b.report.part(fmt.Sprintf("429 storm: rateLimit %d, server %d/s", 5*vendorRate, vendorRate))
	p.add("share of the server's rate used", used(calls), "", nil)
	p.add("calls refused with 429", float64(refused(calls)), "", nil)
	p.add("calls per object", float64(len(calls))/float64(b.options.some), "", nil)
	p.add("accounts lost", float64(b.options.some-made.Len()), "", atMost(0))
	return nil
}

// limited has an operator bring accounts to Cobalt, and returns the calls that it took.
func (b *bench) limited(ctx context.Context, namespace string, at *api, limit v1alpha1.RateLimit) ([]simulator.Call, error) {
	if err := b.prepare(ctx, namespace, environment(defaultName, at, limit)); err != nil {
		return nil, err
	}
	if err := b.create(ctx, b.options.some, accounts(namespace, defaultName)); err != nil {
		return nil, err
	}
	_, operator, err := b.bring(ctx, namespace, b.options.some, at, b.operatorAt)
	if err != nil {
		return nil, err
	}
	operator.Stop()
	return at.Log(), nil
}

// used is how much of the server's rate calls have used from the first to the last, beside the burst that comes for free.
func used(calls []simulator.Call) float64 {
	seconds := calls[len(calls)-1].Time.Sub(calls[0].Time).Seconds()
	return float64(len(calls)-refused(calls)-vendorBurst) / (seconds * vendorRate)
}

// sweep measures an account that is created while looks in the background take all of the rate. As the operator plans
// them for half of it, the rate is lowered when they are planned already.
func (b *bench) sweep(ctx context.Context) error {
	const namespace, interval = "sweep", 30 * time.Second
	count := 4 * b.options.some
	at, err := b.stock(ctx, namespace, count)
	if err != nil {
		return err
	}
	if err := b.create(ctx, count, webhooks(namespace)); err != nil {
		return err
	}
	_, operator, err := b.bring(ctx, namespace, 2*count, at, b.operatorAt)
	if err != nil {
		return err
	}
	operator.Stop()
	if operator, err = b.operate(ctx, namespace, []*api{at}, "--sync-interval="+interval.String()); err != nil {
		return err
	}
	defer operator.Stop()
	if err := operator.isReady(ctx); err != nil {
		return err
	}
	if err := pass(ctx, interval/2); err != nil {
		return err
	}
	if err := b.limit(ctx, namespace, vendorLimit); err != nil {
		return err
	}
	if err := pass(ctx, 2*time.Second); err != nil { // for the calls that were under way
		return err
	}
	start := time.Now()
	took, err := b.one(ctx, namespace, count)
	if err != nil {
		return err
	}
	if err := pass(ctx, time.Until(start.Add(interval/3))); err != nil {
		return err
	}
	p := b.report.part(fmt.Sprintf("sweep of %d webhooks every %s at %d/s", count, interval, vendorRate))
	p.add("calls meanwhile", float64(len(at.since(start)))/time.Since(start).Seconds(), "/s", nil)
	p.add("object created then: time until Ready", took, "s", nil)
	return nil
}

// limit changes the rateLimit of the environment of a namespace.
func (b *bench) limit(ctx context.Context, namespace string, limit v1alpha1.RateLimit) error {
	env := &v1alpha1.Environment{}
	if err := b.plane.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: defaultName}, env); err != nil {
		return err
	}
	env.Spec.RateLimit = limit
	return b.plane.Client.Update(ctx, env)
}

// failBeside measures accounts of one environment, first alone, then beside as many of one whose API answers slowly
// that it is out of order.
func (b *bench) failBeside(ctx context.Context) error {
	alone, err := b.run(ctx, "alone", b.options.some, b.operatorAt)
	if err != nil {
		return err
	}
	const namespace = "beside"
	at, err := b.stock(ctx, namespace, b.options.some)
	if err != nil {
		return err
	}
	failing, err := serve(ctx, 0)
	if err != nil {
		return err
	}
	failing.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Delay: time.Second, Status: 503})
	env := environment("failing", failing, unlimited)
	env.Namespace = namespace
	if err := b.plane.Client.Create(ctx, env); err != nil {
		return err
	}
	if err := b.create(ctx, b.options.some, accounts(namespace, env.Name)); err != nil {
		return err
	}
	beside, operator, err := b.bring(ctx, namespace, b.options.some, at,
		func(ctx context.Context, namespace string, at *api) (*process, error) {
			return b.operate(ctx, namespace, []*api{at, failing})
		})
	if err != nil {
		return err
	}
	defer operator.Stop()
	p := b.report.part(fmt.Sprintf("%d beside %d of a failing environment", b.options.some, b.options.some))
	p.add("time until all are Ready, alone", alone.seconds, "s", nil)
	p.add("time until all are Ready, beside", beside.seconds, "s", nil)
	p.add("ratio", beside.seconds/alone.seconds, "×", nil)
	p.add("calls to the failing one meanwhile", float64(total(failing.Calls())), "", nil)
	return nil
}
