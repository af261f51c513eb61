package stories

import (
	"context"
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// filling makes in the simulator what was stored of another.
type filling struct {
	api *cobalt.Client
	ctx context.Context
	// name puts the name of a copy into a text.
	name func(text string) string
	// pairs are the ids that were stored, each before the one that there is now.
	pairs []string
}

// fill makes a copy of what Cobalt had, and returns the ids that were stored, each before the one that there is now.
func (r *restoring) fill(replacer *strings.Replacer) []string {
	GinkgoHelper()
	f := &filling{api: r.w.api(), ctx: r.w.ctx, name: replacer.Replace}
	for _, account := range r.Cobalt.Accounts {
		f.account(account)
	}
	for _, credential := range r.Cobalt.Credentials {
		token := json.RawMessage(`{"token":"stored"}`) // which no call tells
		Expect(f.api.MigrateToken(f.ctx, f.name(credential.LinkedAccountID), credential.Application, token)).To(Succeed())
	}
	for _, config := range r.Cobalt.Configs {
		f.config(config)
	}
	for _, hook := range r.Cobalt.Webhooks {
		made, err := f.api.CreateWebhook(f.ctx, f.name(hook.LinkedAccountID), cobalt.WebhookInput{
			URL: f.name(hook.WebhookURL), Events: hook.WebhookEvents,
		})
		Expect(err).NotTo(HaveOccurred())
		f.pairs = append(f.pairs, hook.ID, made.ID)
	}
	for _, workflow := range r.Cobalt.Workflows {
		f.workflow(workflow)
	}
	for _, run := range r.Cobalt.Executions {
		id := r.w.sim.Start("test", f.name(run.LinkedAccountID), run.WorkflowID)
		f.pairs = append(f.pairs, run.ID, id)
	}
	return f.pairs
}

func (f *filling) account(stored simulator.LinkedAccount) {
	GinkgoHelper()
	in := cobalt.LinkedAccountInput{ID: f.name(stored.LinkedAccountID), Name: stored.Name, YourApp: stored.YourApp}
	made, err := f.api.UpsertLinkedAccount(f.ctx, in)
	Expect(err).NotTo(HaveOccurred())
	f.pairs = append(f.pairs, stored.ID, made.ID)
}

func (f *filling) config(stored simulator.Config) {
	GinkgoHelper()
	account, id := f.name(stored.LinkedAccountID), f.name(stored.ConfigID)
	_, err := f.api.UpsertConfig(f.ctx, account, stored.Slug, id)
	Expect(err).NotTo(HaveOccurred())
	in := cobalt.ConfigUpdate{Fields: map[string]json.RawMessage{}}
	for field, value := range stored.Fields {
		in.Fields[field], err = json.Marshal(value)
		Expect(err).NotTo(HaveOccurred())
	}
	for _, workflow := range stored.Workflows {
		in.Workflows = append(in.Workflows, cobalt.ConfigWorkflow{ID: workflow.ID, Enabled: workflow.Enabled})
	}
	_, err = f.api.UpdateConfig(f.ctx, account, id, in)
	Expect(err).NotTo(HaveOccurred())
}

func (f *filling) workflow(stored simulator.AccountWorkflow) {
	GinkgoHelper()
	token, err := f.api.CreateSessionToken(f.ctx, f.name(stored.LinkedAccountID))
	Expect(err).NotTo(HaveOccurred())
	in := cobalt.WorkflowInput{Name: stored.Name, Description: stored.Description}
	for _, node := range stored.Nodes {
		config, err := json.Marshal(node["config"])
		Expect(err).NotTo(HaveOccurred())
		n := cobalt.WorkflowNode{Type: node["type"].(string)}
		if node["config"] != nil {
			n.Config = config
		}
		in.Nodes = append(in.Nodes, n)
	}
	made, err := f.api.CreatePublicWorkflow(f.ctx, token.Token, in)
	Expect(err).NotTo(HaveOccurred())
	f.pairs = append(f.pairs, stored.ID, made.ID)
}
