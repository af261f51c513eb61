package simulator

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// LinkedAccount is a customer, as the API answers it.
type LinkedAccount struct {
	ID              string         `json:"_id"`
	LinkedAccountID string         `json:"linked_account_id"`
	Name            string         `json:"name,omitempty"`
	YourApp         map[string]any `json:"your_app"`
	CreatedAt       time.Time      `json:"created_at"`
	UpdatedAt       time.Time      `json:"updated_at"`
}

// account is a linked account and all that goes when it goes.
type account struct {
	LinkedAccount
	credentials map[string]*Credential // by application
	configs     []*Config
	webhook     *Webhook
	workflows   []*PublicWorkflow
	executions  []*execution
	events      []FiredEvent
}

func (s *Server) listLinkedAccounts(q *request) (any, error) {
	list := []LinkedAccount{}
	for _, id := range slices.Sorted(maps.Keys(q.env.accounts)) {
		list = append(list, q.env.accounts[id].LinkedAccount)
	}
	return list, nil
}

func (s *Server) createLinkedAccount(q *request) (any, error) {
	id, err := q.named()
	if err != nil {
		return nil, err
	}
	if q.env.accounts[id] != nil {
		return nil, refuse(http.StatusBadRequest, codeInvalidAccount, "linked account %q already exists", id)
	}
	return s.writeAccount(q, id), nil
}

func (s *Server) upsertLinkedAccount(q *request) (any, error) {
	id, err := q.named()
	if err != nil {
		return nil, err
	}
	return s.writeAccount(q, id), nil
}

// writeAccount creates the account, or updates what the body names of it.
func (s *Server) writeAccount(q *request, id string) LinkedAccount {
	a := q.env.accounts[id]
	if a == nil {
		a = &account{
			LinkedAccount: LinkedAccount{ID: newID(), LinkedAccountID: id, YourApp: map[string]any{}, CreatedAt: q.now},
			credentials:   map[string]*Credential{},
		}
		q.env.accounts[id] = a
	}
	if q.body.has("name") {
		a.Name = q.body.text("name")
	}
	if q.body.has("your_app") {
		a.YourApp = s.written(a.YourApp, q.body.object("your_app"))
	}
	a.UpdatedAt = q.now
	return a.LinkedAccount
}

func (s *Server) getLinkedAccount(q *request) (any, error) {
	return q.account.LinkedAccount, nil
}

func (s *Server) deleteLinkedAccount(q *request) (any, error) {
	id := q.account.LinkedAccountID
	delete(q.env.accounts, id)
	q.env.revoke(id)
	return nil, nil
}

// written is what becomes of a map of values when another one is written to
// it: merged or replaced, as Options.Replace says, and without nulls.
func (s *Server) written(present, sent map[string]any) map[string]any {
	result := map[string]any{}
	if !s.options.Replace {
		maps.Copy(result, present)
	}
	maps.Copy(result, sent)
	maps.DeleteFunc(result, func(_ string, value any) bool { return value == nil })
	return result
}
