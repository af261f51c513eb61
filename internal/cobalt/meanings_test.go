package cobalt_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// letters is what the predicates say, a letter for each that is true.
func letters(err error) string {
	m, said := meaningOf(err), ""
	for _, predicate := range []struct {
		letter string
		holds  bool
	}{
		{"R", m.Rejected}, {"N", m.NotFound}, {"A", m.Unauthorized}, {"T", m.Throttled}, {"B", m.Busy}, {"F", m.Failing}, {"U", m.Unknown},
	} {
		if predicate.holds {
			said += predicate.letter
		}
	}
	if err == nil {
		return "ok"
	}
	return cmp.Or(said, "-")
}

func execute(ctx context.Context, c *cobalt.Client) error {
	_, err := c.ExecuteWorkflow(ctx, "acme", "w1", nil)
	return err
}

func trigger(ctx context.Context, c *cobalt.Client) error {
	_, err := c.TriggerEvent(ctx, "acme", "hubspot", cobalt.EventInput{Event: "x"})
	return err
}

func createWorkflow(ctx context.Context, c *cobalt.Client) error {
	_, err := c.CreatePublicWorkflow(ctx, session, cobalt.WorkflowInput{Name: "x"})
	return err
}

// TestRefusalsByForm: what a status means depends on whether the API itself has
// answered, above all for calls that must not be repeated.
func TestRefusalsByForm(t *testing.T) {
	t.Parallel()
	const (
		statuses  = "400  401  403  404  408  409  421  422  423  425  429  500  503"
		verdicts  = "R    A    R    RN   FU   B    B    R    B    -    T    FU   FU"
		open      = "U    U    U    U    FU   U    U    U    U    U    U    FU   FU"
		pages     = "FU   FU   FU   FU   FU   FU   FU   FU   FU   FU   T    FU   FU"
		openPages = "FU   FU   FU   FU   FU   FU   FU   FU   FU   FU   U    FU   FU"
		results   = "ok   ok   ok   ok   ok   ok   ok   ok   ok   ok   ok   ok   ok"
		json      = "application/json"
		html      = "text/html; charset=utf-8"
	)
	type call = func(context.Context, *cobalt.Client) error
	once := map[string]call{"execute": execute, "trigger": trigger, "create": createWorkflow}
	runs := map[string]call{"execute": execute, "trigger": trigger}
	others := map[string]call{"upsert": upsert, "get": getAccount}
	for name, tc := range map[string]struct {
		label, body string
		calls       map[string]call
		want        string
	}{
		"Code":             {json, `{"error_code":"VALIDATION_ERROR","message":"m"}`, once, verdicts},
		"Words":            {json, `{"error":"words","message":"Server Error"}`, once, verdicts},
		"Type":             {json, `{"error_type":"NOT_FOUND","message":"m"}`, once, verdicts},
		"Labelled":         {html, ` {"error_code":"VALIDATION_ERROR"}`, once, verdicts},
		"OtherJSON":        {json, `{"ok":false}`, once, open},
		"GatewaysJSON":     {json, `{"message":"no Route matched with those values"}`, once, open},
		"NoError":          {json, `{"error":null,"message":"done"}`, once, open},
		"Text":             {"text/plain", `404 page not found`, once, open},
		"Nothing":          {json, ``, once, open},
		"Page":             {html, "\n<!DOCTYPE html><html>Sorry", once, openPages},
		"PageInDisguise":   {json, "\ufeff<html>Sorry", once, openPages},
		"PageWithoutTags":  {html, "Sorry", once, openPages},
		"Execution":        {json, `{"execution_id":"e1","error":"the workflow's"}`, runs, results},
		"NoExecution":      {json, `{"execution_id":"e1"}`, map[string]call{"create": createWorkflow}, open},
		"OtherCode":        {json, `{"error_code":"VALIDATION_ERROR"}`, others, verdicts},
		"OtherForm":        {json, `{"ok":false}`, others, verdicts},
		"OtherText":        {"text/plain", `no`, others, verdicts},
		"OtherLabel":       {html, `{"error_code":"VALIDATION_ERROR"}`, others, verdicts},
		"OtherPage":        {html, `<html>`, others, pages},
		"OtherInDisguise":  {json, "\n\n <html>", others, pages},
		"OtherWithoutTags": {html, "Sorry", others, pages},
	} {
		for operation, call := range tc.calls {
			t.Run(name+"/"+operation, func(t *testing.T) {
				t.Parallel()
				want := strings.Fields(tc.want)
				for i, status := range strings.Fields(statuses) {
					var code int
					_, _ = fmt.Sscan(status, &code)
					server := httptest.NewServer(answer(code, tc.body, "Content-Type", tc.label))
					err := call(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL}))
					if got := letters(err); got != want[i] {
						t.Errorf("%s: %s, want %s: %v", status, got, want[i], err)
					}
					server.Close()
				}
			})
		}
	}
}

// TestFailuresReportedWithSuccess: an error in an answer of status 200 is a refusal
// but beside a result; of a call that must not be repeated it is no proof of anything.
func TestFailuresReportedWithSuccess(t *testing.T) {
	t.Parallel()
	deleteConfig := func(ctx context.Context, c *cobalt.Client) error { return c.DeleteConfig(ctx, "acme", "c1") }
	deleteField := func(ctx context.Context, c *cobalt.Client) error { return c.DeleteConfigField(ctx, "acme", "c1", "f1") }
	updateField := func(ctx context.Context, c *cobalt.Client) error {
		return c.UpdateConfigField(ctx, "acme", "c1", "f1", "secret-value")
	}
	unsubscribe := func(ctx context.Context, c *cobalt.Client) error {
		return c.UnsubscribeWebhook(ctx, "acme", []string{"x"})
	}
	migrate := func(ctx context.Context, c *cobalt.Client) error { return c.MigrateToken(ctx, "acme", "x", raw(`{}`)) }
	accounts := func(ctx context.Context, c *cobalt.Client) error { return last(c.ListLinkedAccounts(ctx)) }
	execution := func(ctx context.Context, c *cobalt.Client) error {
		_, err := c.GetExecution(ctx, "acme", "e1")
		return err
	}
	executions := func(ctx context.Context, c *cobalt.Client) error { return last(c.ListExecutions(ctx, "acme")) }
	for name, tc := range map[string]struct {
		call func(context.Context, *cobalt.Client) error
		body string
		want string
	}{
		"Delete":              {deleteConfig, `{"error":"boom"}`, "R"},
		"DeleteLabelled":      {func(ctx context.Context, c *cobalt.Client) error { return c.DeleteLinkedAccount(ctx, "acme") }, `{"error":{"code":"X"}}`, "R"},
		"DeleteField":         {deleteField, `{"error":true,"message":"boom"}`, "R"},
		"UpdateField":         {updateField, `{"error":["boom"]}`, "R"},
		"Unsubscribe":         {unsubscribe, `{"error":1}`, "R"},
		"Migrate":             {migrate, `{"error":"boom"}`, "R"},
		"Upsert":              {upsert, `{"_id":"a1","error":"boom"}`, "R"},
		"List":                {accounts, `{"error":"boom"}`, "R"},
		"EmptyList":           {accounts, `{"docs":[],"error":"boom"}`, "R"},
		"Null":                {deleteConfig, `{"error":null}`, "ok"},
		"False":               {deleteConfig, `{"error":false}`, "ok"},
		"Blank":               {deleteConfig, `{"error":""}`, "ok"},
		"EmptyObject":         {deleteConfig, `{"error":{}}`, "ok"},
		"EmptyArray":          {deleteConfig, `{"error":[]}`, "ok"},
		"Inside":              {deleteConfig, `{"data":{"error":"boom"}}`, "ok"},
		"Words":               {deleteConfig, `OK`, "ok"},
		"Rest":                {deleteConfig, `[{"error":"boom"}]`, "ok"},
		"Nothing":             {deleteConfig, ``, "ok"},
		"Large":               {deleteConfig, `["` + strings.Repeat("x", 2<<20) + `"]`, "ok"},
		"Execution":           {execution, `{"_id":"e1","status":"failed","error":"boom"}`, "ok"},
		"ExecutionWithoutID":  {execution, `{"status":"failed","error":"boom"}`, "ok"},
		"NoExecution":         {execution, `{"error":"boom"}`, "R"},
		"OneExecution":        {executions, `{"_id":"e1","error":"boom"}`, "ok"},
		"ExecutionInList":     {executions, `{"docs":[{"_id":"e1","error":"boom"}]}`, "ok"},
		"Execute":             {execute, `{"execution_id":"e1","error":"boom"}`, "ok"},
		"ExecuteWithoutID":    {execute, `{"error":"boom"}`, "U"},
		"Trigger":             {trigger, `{"instanceId":"e1","error":"boom"}`, "ok"},
		"TriggerWithoutID":    {trigger, `{"message":"m","error":"boom"}`, "U"},
		"CreateWorkflow":      {createWorkflow, `{"_id":"w1","error":"boom"}`, "U"},
		"CreateWithoutID":     {createWorkflow, `{"name":"x"}`, "FU"},
		"CreateWithoutUsable": {createWorkflow, `{"_id":"../x"}`, "FU"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer(200, tc.body))
			t.Cleanup(server.Close)
			if err := tc.call(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL})); letters(err) != tc.want {
				t.Errorf("%s, want %s: %v", letters(err), tc.want, err)
			}
		})
	}
}

// TestRetryAfterOfRefusals: those who are refused for now learn when to come back.
func TestRetryAfterOfRefusals(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 421, 423, 500} {
		server := httptest.NewServer(answer(status, `{"error_code":"X"}`, "Retry-After", "7"))
		t.Cleanup(server.Close)
		if after := cobalt.RetryAfter(upsert(t.Context(), connect(t, cobalt.Options{BaseURL: server.URL}))); after != 7*time.Second {
			t.Errorf("%d: come back after %s, want 7s", status, after)
		}
	}
}

// TestLargeResultsAreResults: a workflow may set a status of its own beside an answer of any size, and slows nobody down.
func TestLargeResultsAreResults(t *testing.T) {
	t.Parallel()
	body := `{"data":"` + strings.Repeat("x", 2<<20) + `","execution_id":"e1"}`
	server := httptest.NewServer(answer(429, body, "Retry-After", "3600"))
	t.Cleanup(server.Close)
	limiter := ratelimit.New(10, 10, nil)
	c := connect(t, cobalt.Options{BaseURL: server.URL, Limiter: limiter})
	for operation, call := range map[string]func(context.Context, *cobalt.Client) error{"execute": execute, "trigger": trigger} {
		if err := call(t.Context(), c); err != nil {
			t.Errorf("%s: %v", operation, err)
		}
	}
	if now, limit := limiter.Rate(); now != limit {
		t.Errorf("the rate is %v, want %v", now, limit)
	}
}
