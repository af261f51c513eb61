package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// concurrency is how many things are done at a time by the operator, by the bare client and by the benchmark.
const concurrency = 16

// unlimited is the highest rateLimit that there is.
var unlimited = v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000}

// prepare makes a namespace with its environments.
func (b *bench) prepare(ctx context.Context, namespace string, environments ...*v1alpha1.Environment) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "key"}, StringData: map[string]string{"api-key": apiKey}},
	}
	for _, environment := range environments {
		environment.Namespace = namespace
		objects = append(objects, environment)
	}
	for _, obj := range objects {
		if err := b.plane.Client.Create(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

func environment(name string, at *api, limit v1alpha1.RateLimit) *v1alpha1.Environment {
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Name: name}}
	env.Spec.BaseURL, env.Spec.RateLimit = at.origin+"/api/v2", limit
	env.Spec.APIKeySecretRef = v1alpha1.APIKeyReference{Name: "key", Key: "api-key"}
	return env
}

// object makes the i-th object of a set.
type object func(i int) client.Object

// create makes objects, as fast as it can.
func (b *bench) create(ctx context.Context, count int, nth object) error {
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(concurrency)
	for i := range count {
		workers.Go(func() error { return b.plane.Client.Create(ctx, nth(i)) })
	}
	return workers.Wait()
}

func customer(i int) string { return fmt.Sprintf("customer-%05d", i) }

func in(namespace string, i int) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: customer(i)}
}

// accounts returns what makes the LinkedAccounts of an environment.
func accounts(namespace, environment string) object {
	return func(i int) client.Object {
		account := &v1alpha1.LinkedAccount{ObjectMeta: in(namespace, i)}
		account.Name = environment + "-" + account.Name
		account.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: environment}
		account.Spec.Name = "Customer Inc"
		account.Spec.YourApp = &runtime.RawExtension{Raw: []byte(`{"tier":"gold","seats":25}`)}
		return account
	}
}

// of names the account that the i-th object of another kind belongs to.
func of(i int) v1alpha1.AccountReference {
	return v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: defaultName + "-" + customer(i)}}
}

// defaultName is the environment that objects belong to when they say nothing.
const defaultName = "default"

func configs(namespace string) object {
	return func(i int) client.Object {
		config := &v1alpha1.IntegrationConfig{ObjectMeta: in(namespace, i)}
		config.Spec.AccountReference, config.Spec.Application = of(i), "hubspot"
		config.Spec.Fields = []v1alpha1.ConfigField{{ID: "deal_stage", Value: &runtime.RawExtension{Raw: []byte(`"won"`)}}}
		config.Spec.Workflows = []v1alpha1.WorkflowSwitch{{ID: "sync-deals", Enabled: true}}
		return config
	}
}

func webhooks(namespace string) object {
	return func(i int) client.Object {
		webhook := &v1alpha1.Webhook{ObjectMeta: in(namespace, i)}
		webhook.Spec.AccountReference = of(i)
		webhook.Spec.URL, webhook.Spec.Events = "https://hooks.example.com/cobalt", []string{"Workflow Completed"}
		return webhook
	}
}

func workflows(namespace string) object {
	return func(i int) client.Object {
		workflow := &v1alpha1.PublicWorkflow{ObjectMeta: in(namespace, i)}
		workflow.Spec.AccountReference, workflow.Spec.Name = of(i), "Nightly report"
		workflow.Spec.Nodes = []v1alpha1.WorkflowNode{{Type: "start"}}
		return workflow
	}
}

func triggers(namespace string) object {
	return func(i int) client.Object {
		trigger := &v1alpha1.EventTrigger{ObjectMeta: in(namespace, i)}
		trigger.Spec.AccountReference = of(i)
		trigger.Spec.Event = &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
		return trigger
	}
}
