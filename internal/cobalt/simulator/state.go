package simulator

import (
	"cmp"
	"maps"
	"slices"
)

// State is all that one environment holds. Accounts come in the order of their
// ids; what belongs to an account comes in that order, too, oldest first.
type State struct {
	Environment   string            `json:"environment"`
	Accounts      []LinkedAccount   `json:"accounts"`
	Credentials   []Credential      `json:"credentials"`
	Configs       []Config          `json:"configs"`
	Webhooks      []Webhook         `json:"webhooks"`
	Workflows     []AccountWorkflow `json:"workflows"`
	Executions    []Execution       `json:"executions"`
	Events        []FiredEvent      `json:"events"`
	SessionTokens []SessionToken    `json:"session_tokens"`
}

// AccountWorkflow is a workflow and the account that owns it.
type AccountWorkflow struct {
	PublicWorkflow
	LinkedAccountID string `json:"linked_account_id"`
}

// State is a copy of what is in an environment now; of one that does not exist
// it is empty.
func (s *Server) State(environment string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{
		Environment: environment, Accounts: []LinkedAccount{}, Credentials: []Credential{}, Configs: []Config{}, Webhooks: []Webhook{},
		Workflows: []AccountWorkflow{}, Executions: []Execution{}, Events: []FiredEvent{}, SessionTokens: []SessionToken{},
	}
	env := s.environments[environment]
	if env == nil {
		return state
	}
	for _, id := range slices.Sorted(maps.Keys(env.accounts)) {
		s.dump(&state, env.accounts[id])
	}
	for _, token := range env.tokens {
		state.SessionTokens = append(state.SessionTokens, *token)
	}
	slices.SortFunc(state.SessionTokens, func(a, b SessionToken) int {
		return cmp.Or(cmp.Compare(a.LinkedAccountID, b.LinkedAccountID), a.IssuedAt.Compare(b.IssuedAt), cmp.Compare(a.Token, b.Token))
	})
	return state
}

// dump adds copies of an account and what belongs to it.
func (s *Server) dump(state *State, a *account) {
	linked := a.LinkedAccount
	linked.YourApp = copied(linked.YourApp)
	state.Accounts = append(state.Accounts, linked)
	for _, slug := range slices.Sorted(maps.Keys(a.credentials)) {
		credential := *a.credentials[slug]
		credential.Token = copied(credential.Token)
		state.Credentials = append(state.Credentials, credential)
	}
	for _, c := range a.configs {
		config := *c
		config.Fields, config.Workflows = copied(c.Fields), slices.Clone(c.Workflows)
		state.Configs = append(state.Configs, config)
	}
	if a.webhook != nil {
		hook := *a.webhook
		hook.WebhookEvents = slices.Clone(hook.WebhookEvents)
		state.Webhooks = append(state.Webhooks, hook)
	}
	for _, w := range a.workflows {
		workflow := AccountWorkflow{PublicWorkflow: *w, LinkedAccountID: a.LinkedAccountID}
		workflow.Nodes = make([]map[string]any, len(w.Nodes))
		for i, node := range w.Nodes {
			workflow.Nodes[i] = copied(node)
		}
		state.Workflows = append(state.Workflows, workflow)
	}
	for _, run := range a.executions {
		state.Executions = append(state.Executions, s.at(s.options.Now().UTC(), run))
	}
	for _, event := range a.events {
		event.Payload = copied(event.Payload)
		state.Events = append(state.Events, event)
	}
}

func copied(value map[string]any) map[string]any {
	if value == nil {
		return nil
	}
	return deepCopy(value).(map[string]any)
}

// deepCopy copies what encoding/json decodes to.
func deepCopy(value any) any {
	switch value := value.(type) {
	case map[string]any:
		result := make(map[string]any, len(value))
		for key, element := range value {
			result[key] = deepCopy(element)
		}
		return result
	case []any:
		result := make([]any, len(value))
		for i, element := range value {
			result[i] = deepCopy(element)
		}
		return result
	}
	return value
}
