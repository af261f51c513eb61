package linkedaccount

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/hash"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// credentials hands the credentials of accounts over to Cobalt, which never
// gives them back, and does not do so twice: re-sending an old refresh token
// would break a connection that works.
//
// What was sent is remembered as a salted hash in two places, and they mean
// different things. The annotation is written before the call, the status after
// it. So a crash in between leaves an annotation without a status, and Cobalt is
// asked whether the application is connected: if it is not, the same bytes are
// sent again, which is the worst that can happen. Were the annotation written
// after the call, credentials that changed during the crash would be taken for
// those that were sent.
type credentials struct {
	client client.Client
	events events.EventRecorder
}

// handover is what is to be done for one application.
type handover struct {
	application string
	token       json.RawMessage
	// hash is what is to be remembered; empty for nothing.
	hash string
	step handoverStep
	// err is why nothing has come of it.
	err error
}

type handoverStep int

const (
	keep     handoverStep = iota // nothing can be done now: leave what is remembered
	done                         // it was sent
	ask                          // send it, unless the application is connected
	askFirst                     // the same, but nothing at all is remembered of it
	withhold                     // not sent, for the application is connected
	send                         // send it
)

// migrate sends the credentials that Cobalt does not have yet.
func (c credentials) migrate(ctx context.Context, api *environment.Remote, reader *inputs.Reader, obj *v1alpha1.LinkedAccount) error {
	statuses, annotations := rememberedInStatus(obj), rememberedInAnnotation(obj)
	var handovers []handover
	var problem error // the first; the other applications need not wait for it
	for _, entry := range obj.Spec.Credentials {
		h, err := prepare(ctx, reader, obj, entry, statuses[entry.Application], annotations[entry.Application])
		if err != nil {
			h = handover{application: entry.Application, hash: annotations[entry.Application]}
			problem = condition.First(problem, err)
		}
		handovers = append(handovers, h)
	}
	if err := c.settle(ctx, api, obj, handovers, annotations); err != nil {
		return err
	}
	obj.Status.Credentials = nil
	for _, h := range handovers {
		problem = condition.First(problem, h.err)
		if h.step == keep || h.err != nil {
			h.hash = statuses[h.application]
		}
		if h.hash != "" {
			obj.Status.Credentials = append(obj.Status.Credentials, v1alpha1.MigratedCredentials{Application: h.application, Hash: h.hash})
		}
	}
	return problem
}

// settle asks for what nothing else tells and sends what is to be sent, with one write in
// between; one by one where not so many calls can go in a row, so that each run gets further.
func (c credentials) settle(
	ctx context.Context, api *environment.Remote, obj *v1alpha1.LinkedAccount, handovers []handover, annotations map[string]string,
) error {
	size, begun := max(1, len(handovers)), false
	if 2*size >= api.Burst() {
		size = 1
	}
	for group := range slices.Chunk(handovers, size) {
		for i := range group {
			group[i].err = find(ctx, api, &group[i])
		}
		err := c.remember(ctx, obj, handovers, annotations)
		if err != nil && !begun {
			return err
		}
		for i := range group {
			if group[i].err = condition.First(group[i].err, err); group[i].err == nil {
				group[i].err = c.handOver(ctx, api, obj, group[i])
			}
		}
		begun = true
	}
	return nil
}

// prepare reads credentials and plans what is to be done with them.
func prepare(
	ctx context.Context, reader *inputs.Reader, obj *v1alpha1.LinkedAccount,
	entry v1alpha1.ApplicationCredentials, inStatus, inAnnotation string,
) (handover, error) {
	token, referenced, err := readCredentials(ctx, reader, obj.Namespace, entry.SecretRef)
	if err != nil {
		return handover{}, err
	}
	h := plan(entry.Application, obj.Status.ID, referenced, inStatus, inAnnotation)
	h.token = token
	return h, nil
}

// find asks Cobalt what is to be done, if nothing else tells.
func find(ctx context.Context, api *environment.Remote, h *handover) error {
	if h.step != ask && h.step != askFirst {
		return nil
	}
	connected, err := api.IsConnected(ctx, h.application)
	switch {
	case err != nil:
		return fmt.Errorf("application %s: %w", h.application, err)
	case !connected:
		h.step = send
	case h.step == askFirst:
		h.step = withhold
	default:
		h.step = done
	}
	return nil
}

// plan decides what to do with credentials by what is remembered.
func plan(application, account string, referenced []byte, inStatus, inAnnotation string) handover {
	switch {
	case hash.Matches(inStatus, account, referenced):
		return handover{application: application, hash: inStatus, step: done}
	case hash.Matches(inAnnotation, account, referenced) && inStatus == "": // a wiped status, or a crash
		return handover{application: application, hash: inAnnotation, step: ask}
	case hash.Matches(inAnnotation, account, referenced): // the status is of others, so these have not arrived
		return handover{application: application, hash: inAnnotation, step: send}
	case inStatus == "" && inAnnotation == "":
		return handover{application: application, hash: hash.Salted(account, referenced), step: askFirst}
	default:
		return handover{application: application, hash: hash.Salted(account, referenced), step: send}
	}
}

// handOver sends credentials if they are to be sent.
func (c credentials) handOver(ctx context.Context, api *environment.Remote, obj *v1alpha1.LinkedAccount, h handover) error {
	if h.step == withhold {
		c.events.Eventf(obj, nil, corev1.EventTypeWarning, "CredentialsNotResent", "Migrate",
			"application %s is connected already, so its credentials were not sent; change the Secret to have them sent", h.application)
	}
	if h.step != send {
		return nil
	}
	err := api.MigrateToken(ctx, obj.AccountID(), h.application, h.token)
	switch {
	case cobalt.IsNotFound(err):
		return errors.New("the account vanished from Cobalt meanwhile: " + err.Error())
	case err != nil:
		return fmt.Errorf("application %s: %w", h.application, err)
	}
	return nil
}

// remember writes the hashes of all handovers into the annotation of obj, all in one
// patch. It fails if obj is not the newest version, whose annotation or status
// may tell that everything was sent.
func (c credentials) remember(ctx context.Context, obj *v1alpha1.LinkedAccount, handovers []handover, present map[string]string) error {
	wanted := map[string]string{}
	for _, h := range handovers {
		if h.hash != "" && h.step != askFirst { // what is not known yet must be asked for again
			wanted[h.application] = h.hash
		}
	}
	if maps.Equal(wanted, present) {
		return nil
	}
	marked := obj.DeepCopy()
	object.SetAnnotation(marked, object.CredentialsAnnotation, credentialsIn(wanted))
	if err := c.client.Patch(ctx, marked, client.MergeFromWithOptions(obj, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	obj.SetResourceVersion(marked.GetResourceVersion())
	clear(present)
	maps.Copy(present, wanted)
	return nil
}

// credentialsIn is the annotation that remembers these hashes.
func credentialsIn(hashes map[string]string) string {
	text, _ := json.Marshal(hashes) // texts always can be
	return string(text)
}

func rememberedInAnnotation(obj *v1alpha1.LinkedAccount) map[string]string {
	hashes := map[string]string{}
	if text, ok := object.Annotation(obj, object.CredentialsAnnotation); ok {
		_ = json.Unmarshal([]byte(text), &hashes) // what somebody has garbled is lost
	}
	return hashes
}

func rememberedInStatus(obj *v1alpha1.LinkedAccount) map[string]string {
	hashes := map[string]string{}
	for _, entry := range obj.Status.Credentials {
		hashes[entry.Application] = entry.Hash
	}
	return hashes
}

// credentialUses are the credentials of obj.
func credentialUses(obj *v1alpha1.LinkedAccount) []inputs.Use {
	var uses []inputs.Use
	for _, entry := range obj.Spec.Credentials {
		secret := inputs.Reference{Kind: inputs.KindSecret, Namespace: obj.Namespace, Name: entry.SecretRef.Name}
		uses = append(uses, inputs.Use{Reference: secret, Key: entry.SecretRef.Key})
	}
	return uses
}

// readCredentials returns credentials as they are sent, and the bytes they were
// read from.
func readCredentials(
	ctx context.Context, reader *inputs.Reader, namespace string, source v1alpha1.CredentialsReference,
) (token json.RawMessage, referenced []byte, err error) {
	ref := inputs.Reference{Kind: inputs.KindSecret, Namespace: namespace, Name: source.Name}
	if source.Key != "" {
		properties, err := reader.Object(ctx, ref, source.Key)
		if err != nil {
			return nil, nil, err
		}
		if len(properties) == 0 {
			return nil, nil, condition.StalledBy(v1alpha1.ReasonInvalidInput,
				"%s, key %s holds an empty JSON object: put credentials there", ref, source.Key)
		}
		referenced, err = reader.Value(ctx, ref, source.Key)
		if err != nil {
			return nil, nil, err
		}
		token, err = json.Marshal(properties)
		return token, referenced, err
	}
	data, err := reader.All(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if len(data) == 0 {
		return nil, nil, condition.StalledBy(v1alpha1.ReasonInvalidInput, "%s has no keys: put credentials there", ref)
	}
	properties, sent := map[string]string{}, map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if !utf8.Valid(data[key]) {
			return nil, nil, condition.StalledBy(v1alpha1.ReasonInvalidInput, "%s, key %s does not hold text", ref, key)
		}
		properties[key] = string(data[key])
		sent[key] = inputs.TextOf(properties[key])
	}
	if referenced, err = json.Marshal(properties); err != nil {
		return nil, nil, err
	}
	token, err = json.Marshal(sent)
	return token, referenced, err
}
