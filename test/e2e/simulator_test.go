//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

const apiKey = "demo-key" // the chart's default

// baseURL is how pods reach the simulator beside the operator in namespace.
func baseURL(namespace string) string {
	return fmt.Sprintf("http://%s-simulator.%s.svc/api/v2", release, namespace)
}

// ask calls the simulator through the API server and decodes its answer.
func ask(ctx context.Context, namespace, method, path string, body, answer any) error {
	request := kube.CoreV1().RESTClient().Verb(method).Namespace(namespace).Resource("services").
		Name("http:"+release+"-simulator:80").SubResource("proxy").Suffix(strings.Split(path, "/")...).
		SetHeader("X-Api-Key", apiKey).SetHeader("Content-Type", "application/json")
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		request = request.Body(text)
	}
	raw, err := request.DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", method, path, err, raw)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// do is ask for calls that must work.
func do(ctx context.Context, method, path string, body, answer any) {
	GinkgoHelper()
	Expect(ask(ctx, operatorNamespace, method, path, body, answer)).To(Succeed())
}

// state is all that Cobalt holds.
func state(ctx context.Context) simulator.State {
	GinkgoHelper()
	var state simulator.State
	do(ctx, "GET", "_simulator/state", nil, &state)
	return state
}

// accountNames are the accounts in Cobalt by the ids that their creators chose.
func accountNames(ctx context.Context) []string {
	GinkgoHelper()
	names := []string{}
	for _, a := range state(ctx).Accounts {
		names = append(names, a.LinkedAccountID)
	}
	return names
}

// calls are those since forgetCalls, oldest first.
func calls(ctx context.Context) []simulator.Call {
	GinkgoHelper()
	var calls []simulator.Call
	do(ctx, "GET", "_simulator/log", nil, &calls)
	return calls
}

func forgetCalls(ctx context.Context) {
	GinkgoHelper()
	do(ctx, "DELETE", "_simulator/calls", nil, nil)
}

// writes are the operations among calls that change something in Cobalt. A session token lets its owner make other
// calls and changes nothing; the operator keeps those it needs in memory.
func writes(calls []simulator.Call) []string {
	operations := []string{}
	for _, c := range calls {
		if c.Method != http.MethodGet && c.Operation != "createSessionToken" {
			operations = append(operations, c.Operation)
		}
	}
	return operations
}
