package docs

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// scene is about one block: what its reader has in addition, and what must hold when its last line has run.
type scene struct {
	page string
	// block is a text that only this block of the page has.
	block string
	given func(r *reader)
	then  func(r *reader)
}

var scenes = []scene{
	{page: "docs/argocd.md", block: "argocd-cm", given: hasArgoCD, then: stillHasArgoCD},
	{page: "docs/operations.md", block: "$NEW", given: slowsTheAPI, then: hasTheNewKey},
	{page: "docs/kinds/publicworkflow.md", block: "adopt-workflow", given: hasLostAnAnswer, then: isSettled},
	{page: "docs/kinds/publicworkflow.md", block: "retry-create", given: hasLostAnAnswer, then: isSettled},
	{page: "docs/troubleshooting.md", block: "cet report-once", given: hasATrigger},
}

// TestBlocksRun runs each block that says api, page by page and in their order.
func TestBlocksRun(t *testing.T) {
	for _, page := range pages(t) {
		found := slices.DeleteFunc(blocks(t, page), func(b block) bool { return b.how != "api" })
		if len(found) == 0 {
			continue
		}
		t.Run(strings.ReplaceAll(page, "/", "_"), func(t *testing.T) {
			r := newReader(t)
			for _, b := range found {
				r.play(b)
			}
		})
	}
}

// TestEachSceneHasItsBlock: no page has changed under what is set up for it.
func TestEachSceneHasItsBlock(t *testing.T) {
	for _, s := range scenes {
		found := slices.DeleteFunc(blocks(t, s.page), func(b block) bool { return b.how != "api" || !s.isAbout(b) })
		if len(found) != 1 {
			t.Errorf("%s has %d blocks with %q that say api", s.page, len(found), s.block)
		}
	}
}

func (s scene) isAbout(b block) bool { return s.page == b.page && strings.Contains(b.script, s.block) }

func (r *reader) play(b block) {
	r.t.Helper()
	r.t.Log(b)
	var s scene
	if i := slices.IndexFunc(scenes, func(s scene) bool { return s.isAbout(b) }); i >= 0 {
		s = scenes[i]
	}
	if s.given != nil {
		s.given(r)
	}
	r.run(b.script)
	if s.then != nil {
		s.then(r)
	}
}

// argoCD is its ConfigMap as its own manifests have it: it does not start without the label part-of.
const argoCD = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  namespace: argocd
  labels: {app.kubernetes.io/name: argocd-cm, app.kubernetes.io/part-of: argocd}
data:
  resource.customizations.ignoreResourceUpdates.all: "jsonPointers: [/status]"
  resource.exclusions: "[]"
`

func hasArgoCD(r *reader) {
	r.run("kubectl create namespace argocd")
	r.apply(argoCD)
	r.run(`kubectl patch configmap argocd-cm -n argocd --type=merge -p '{"data":{"url":"https://argocd.example.com"}}'`)
}

// stillHasArgoCD: what Argo CD had is as it was and our part is beside it, also when Argo CD is installed once more.
func stillHasArgoCD(r *reader) {
	r.checkArgoCD()
	r.apply(argoCD)
	r.checkArgoCD()
}

func (r *reader) checkArgoCD() {
	r.t.Helper()
	var theirs, ours, now corev1.ConfigMap
	r.must(yaml.Unmarshal([]byte(argoCD), &theirs))
	r.must(yaml.Unmarshal([]byte(read(r.t, "config/argocd/argocd-cm.yaml")), &ours))
	r.get("argocd", "argocd-cm", &now)
	if diff := cmp.Diff(theirs.Labels, now.Labels); diff != "" {
		r.t.Errorf("labels: -want +got\n%s", diff)
	}
	maps.Copy(theirs.Data, ours.Data)
	theirs.Data["url"] = "https://argocd.example.com"
	if diff := cmp.Diff(theirs.Data, now.Data); diff != "" {
		r.t.Errorf("data: -want +got\n%s", diff)
	}
}

// slowsTheAPI has the new key be accepted some time after it was put in place, when the Ready of the old one still stands.
func slowsTheAPI(r *reader) {
	r.realm = r.run("kubectl get cenv/default -o jsonpath='{.status.realm}'")
	sim.Inject(simulator.Fault{Operation: "listApplications", Delay: 2 * time.Second, Times: 1})
}

// hasTheNewKey: the API has accepted it, the Secret holds what it held beside the key, and nothing repeats the key.
func hasTheNewKey(r *reader) {
	if realm := r.run("kubectl get cenv/default -o jsonpath='{.status.realm}'"); r.realm == "" || realm == r.realm {
		r.t.Errorf("the script has ended before the new key was accepted: %q", realm)
	}
	var secret corev1.Secret
	r.get(r.namespace, "cobalt-api-key", &secret)
	if got := string(secret.Data["api-key"]); got != newKey {
		r.t.Errorf("the key is %q", got)
	}
	if secret.Labels["team"] == "" || len(secret.Data["note"]) == 0 {
		r.t.Errorf("labels %v and %d keys are left of the Secret", secret.Labels, len(secret.Data))
	}
}

// hasLostAnAnswer: the answer to the call that makes a workflow was lost, and the object says so.
func hasLostAnAnswer(r *reader) {
	r.run("kubectl delete cpw --all")
	sim.Inject(simulator.Fault{Operation: "createPublicWorkflow", HangUp: simulator.HangUpAfter, Times: 1})
	r.apply(`
apiVersion: cobalt.gocobalt.io/v1alpha1
kind: PublicWorkflow
metadata: {name: nightly-report}
spec: {linkedAccountRef: {name: acme}, name: Nightly report, nodes: [{type: start}]}
`)
	r.run("kubectl wait --timeout=1m --for=jsonpath='{.status.conditions[?(@.type==\"Ready\")].reason}'=" +
		v1alpha1.ReasonCreateOutcomeUnknown + " cpw/nightly-report")
}

func isSettled(r *reader) {
	r.run("kubectl wait --timeout=1m --for=condition=Ready cpw/nightly-report")
}

func hasATrigger(r *reader) {
	r.apply(`
apiVersion: cobalt.gocobalt.io/v1alpha1
kind: EventTrigger
metadata: {name: report-once}
spec: {linkedAccountRef: {name: acme}, event: {slug: deal-created, name: Deal Created}}
`)
}
