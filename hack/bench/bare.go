package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// bareCommand has the benchmark be the bare client, as a process with the same rights as the operator.
const bareCommand = "bare"

// bare is the least that brings LinkedAccounts to Cobalt: it watches them, and makes the calls and writes that the
// operator makes, without asking whether they are right. An operator cannot be faster.
type bare struct {
	namespace, origin string
	client            client.Client
	events            events.EventRecorder
	http              http.Client
}

func runBare(ctx context.Context, args []string) error {
	b := &bare{http: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}}
	flags := flag.NewFlagSet(bareCommand, flag.ContinueOnError)
	flags.StringVar(&b.namespace, "namespace", "", "whose LinkedAccounts to bring to Cobalt")
	flags.StringVar(&b.origin, "origin", "", "where Cobalt is")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	// By its name, the API server tells whose fields are whose: it must not be that of who made the objects.
	config.UserAgent = "bare-client"
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	if b.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: clientset.EventsV1()})
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	defer broadcaster.Shutdown()
	b.events = broadcaster.NewRecorder(scheme, "bare")
	watched, err := cache.New(config, cache.Options{Scheme: scheme, DefaultNamespaces: map[string]cache.Config{b.namespace: {}}})
	if err != nil {
		return err
	}
	return b.work(ctx, watched)
}

// work brings every account that appears to Cobalt, and returns when ctx ends or something fails.
func (b *bare) work(ctx context.Context, watched cache.Cache) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	informer, err := watched.GetInformer(ctx, &v1alpha1.LinkedAccount{}, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	go func() { fail(watched.Start(ctx)) }()
	if !watched.WaitForCacheSync(ctx) {
		return context.Cause(ctx)
	}
	if _, err := b.call(ctx, http.MethodGet, "", nil); err != nil { // the list with which the operator begins
		return err
	}
	work := make(chan *v1alpha1.LinkedAccount)
	for range concurrency {
		go func() {
			for account := range work {
				if err := b.bring(ctx, account.DeepCopy()); err != nil {
					fail(fmt.Errorf("%s: %w", account.Name, err))
				}
			}
		}()
	}
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { work <- obj.(*v1alpha1.LinkedAccount) },
	}); err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// bring makes one account in Cobalt: finalizer, call, event, status.
func (b *bare) bring(ctx context.Context, account *v1alpha1.LinkedAccount) error {
	mark, before := account.Namespace+"/"+account.Name+":", account.DeepCopy()
	account.Finalizers = append(account.Finalizers, v1alpha1.Finalizer)
	account.Annotations = map[string]string{
		"cobalt.gocobalt.io/account": mark + account.Name, "cobalt.gocobalt.io/origin": mark + "created",
	}
	if err := b.client.Patch(ctx, account, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	input := map[string]any{"linked_account_id": account.Name, "name": account.Spec.Name, "your_app": account.Spec.YourApp}
	id, err := b.call(ctx, http.MethodPost, "/upsert", input)
	if err != nil {
		return err
	}
	b.events.Eventf(account, nil, corev1.EventTypeNormal, "Created", "Create", "created in Cobalt")
	before = account.DeepCopy()
	account.Status.ID, account.Status.LinkedAccountID, account.Status.Origin = id, account.Name, "created"
	account.Status.Environment, account.Status.YourAppKeys = "Environment/"+defaultName, []string{"seats", "tier"}
	account.Status.ObservedGeneration = account.Generation
	account.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSynced,
		Message: "Cobalt is as spec says", LastTransitionTime: metav1.Now(), ObservedGeneration: account.Generation,
	}}
	return b.client.Status().Patch(ctx, account, client.MergeFrom(before))
}

// call makes one call of those for accounts, and returns the id that is answered.
func (b *bare) call(ctx context.Context, method, path string, input any) (string, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, method, b.origin+"/api/v2/public/linked-account"+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Api-Key", apiKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := b.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK || method == http.MethodGet {
		return "", statusError(response.StatusCode)
	}
	var account struct {
		ID string `json:"_id"`
	}
	return account.ID, json.Unmarshal(text, &account)
}

func statusError(status int) error {
	if status/100 == 2 {
		return nil
	}
	return fmt.Errorf("Cobalt answered %d", status) //nolint:staticcheck // a name
}
