// Package contract holds the contract with the Cobalt API: the operations,
// parameters, schemas and statuses that the client may rely on and that the
// simulator has to serve.
package contract

import _ "embed"

// Document is the contract as an OpenAPI 3.1 document in YAML. Its paths are
// relative to the server's /api/v2.
//
//go:embed openapi.yaml
var Document []byte
