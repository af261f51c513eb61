package simulator

import "net/http"

// route is one operation of the contract.
type route struct {
	operation string // its operationId
	method    string
	path      string // as the contract writes it, below BasePath
	scope     scope
	do        func(*Server, *request) (any, error)
}

// scope says where a call names its linked account.
type scope int

const (
	// scopeNone: it does not.
	scopeNone scope = iota
	// scopeBody: in the body, which the operation looks at.
	scopeBody
	// scopeHeader: in the header linked_account_id, which has to be there.
	scopeHeader
	// scopeOptionalHeader: in that header, if it is there.
	scopeOptionalHeader
	// scopePath: in the path.
	scopePath
	// scopeToken: in the session token, sent in the place of an API key.
	scopeToken
)

// routes are all operations, in the order of the contract.
var routes = []route{
	{"createSessionToken", http.MethodPost, "/public/session-token", scopeBody, (*Server).createSessionToken},

	{"listLinkedAccounts", http.MethodGet, "/public/linked-account", scopeNone, (*Server).listLinkedAccounts},
	{"createLinkedAccount", http.MethodPost, "/public/linked-account", scopeBody, (*Server).createLinkedAccount},
	{"getLinkedAccount", http.MethodGet, "/public/linked-account/{linked_account_id}", scopePath, (*Server).getLinkedAccount},
	{"deleteLinkedAccount", http.MethodDelete, "/public/linked-account/{linked_account_id}", scopePath, (*Server).deleteLinkedAccount},
	{"upsertLinkedAccount", http.MethodPost, "/public/linked-account/upsert", scopeBody, (*Server).upsertLinkedAccount},
	{"migrateToken", http.MethodPost, "/public/linked-account/{linked_account_id}/migrate-token", scopePath, (*Server).migrateToken},

	{"listApplications", http.MethodGet, "/public/application", scopeOptionalHeader, (*Server).listApplications},
	{"getApplicationBySlug", http.MethodGet, "/public/application/{slug}", scopeOptionalHeader, (*Server).getApplicationBySlug},

	{"upsertConfig", http.MethodPost, "/public/config", scopeHeader, (*Server).upsertConfig},
	{"getConfigById", http.MethodGet, "/public/config/{config_id}", scopeHeader, (*Server).getConfigByID},
	{"updateConfig", http.MethodPut, "/public/config/{config_id}", scopeHeader, (*Server).updateConfig},
	{"deleteConfig", http.MethodDelete, "/public/config/{config_id}", scopeHeader, (*Server).deleteConfig},
	{"listInstalledConfigs", http.MethodGet, "/public/config/all", scopeHeader, (*Server).listInstalledConfigs},
	{"getConfigFields", http.MethodGet, "/public/config/{config_id}/fields", scopeHeader, (*Server).getConfigFields},
	{"getFieldValueById", http.MethodGet, "/public/config/{config_id}/field/{field_id}", scopeHeader, (*Server).getFieldValueByID},
	{"updateFieldValueById", http.MethodPut, "/public/config/{config_id}/field/{field_id}", scopeHeader, (*Server).updateFieldValueByID},
	{"deleteFieldValueById", http.MethodDelete, "/public/config/{config_id}/field/{field_id}", scopeHeader, (*Server).deleteFieldValueByID},
	{"getRuleEngineOptions", http.MethodGet, "/public/config/{config_id}/rule-engine/options", scopeHeader, (*Server).getRuleEngineOptions},

	{"triggerEvent", http.MethodPost, "/public/event/{slug}", scopeHeader, (*Server).triggerEvent},

	{"createWebhook", http.MethodPost, "/public/webhook", scopeHeader, (*Server).createWebhook},
	{"getWebhook", http.MethodGet, "/public/webhook", scopeHeader, (*Server).getWebhook},
	{"unsubscribeWebhook", http.MethodPost, "/public/webhook/unsubscribe", scopeHeader, (*Server).unsubscribeWebhook},

	{"getExecutionById", http.MethodGet, "/public/execution/{execution_id}", scopeHeader, (*Server).getExecutionByID},
	{"listExecutions", http.MethodGet, "/public/execution", scopeHeader, (*Server).listExecutions},

	{"createPublicWorkflow", http.MethodPost, "/public/workflow", scopeToken, (*Server).createPublicWorkflow},
	{"executeWorkflow", http.MethodPost, "/public/workflow/{workflow_id}/execute", scopeHeader, (*Server).executeWorkflow},

	{"createHostedPortalUrl", http.MethodPost, "/public/cobalt-hosted", scopeBody, (*Server).createHostedPortalURL},

	{"listConfigDatastores", http.MethodGet, "/public/datastore", scopeHeader, (*Server).listConfigDatastores},
	{"listDatastoreRecords", http.MethodGet, "/public/datastore/{datastore_id}/records", scopeHeader, (*Server).listDatastoreRecords},
	{"searchDatastoreRecords", http.MethodPost, "/public/datastore/{datastore_id}/search", scopeHeader, (*Server).searchDatastoreRecords},
}
