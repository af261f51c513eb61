package cobalt

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhatThereIsNoRoomForIsRefusedInWords(t *testing.T) {
	id, secret := strings.Repeat("a", maxID), strings.Repeat("b", maxSecret)
	for name, tc := range map[string]struct {
		answer, most, more string
		call               func(c *Client) error
		want               string
	}{
		"an account": {
			answer: `{"_id":"$","linked_account_id":"acme"}`, most: id, more: id + "a",
			call: func(c *Client) error { _, err := c.GetLinkedAccount(t.Context(), "acme"); return err },
			want: "the answer to getLinkedAccount has an id of more than 256 characters, which there is no room for",
		},
		"a config": {
			answer: `{"config_id":"$","slug":"hubspot"}`, most: id, more: id + "a",
			call: func(c *Client) error {
				_, err := c.UpsertConfig(t.Context(), "acme", "hubspot", "")
				return err
			},
			want: "the answer to upsertConfig has an id of more than 256 characters, which there is no room for",
		},
		"a webhook": {
			answer: `[{"_id":"$"}]`, most: id, more: id + "a",
			call: func(c *Client) error { _, err := c.GetWebhook(t.Context(), "acme"); return err },
			want: "the answer to getWebhook has an id of more than 256 characters, which there is no room for",
		},
		"a session token": {
			answer: `{"token":"$"}`, most: secret, more: secret + "b",
			call: func(c *Client) error { _, err := c.CreateSessionToken(t.Context(), "acme"); return err },
			want: "the answer to createSessionToken has a token or an address of more than 16 KiB, which there is no room for",
		},
		"the URL of a portal": {
			answer: `{"url":"$"}`, most: secret, more: secret + "b",
			call: func(c *Client) error { _, err := c.CreateHostedPortalURL(t.Context(), "acme"); return err },
			want: "the answer to createHostedPortalUrl has a token or an address of more than 16 KiB, which there is no room for",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.call(answering(t, strings.Replace(tc.answer, "$", tc.most, 1))); err != nil {
				t.Errorf("as long as there is room for: %v", err)
			}
			err := tc.call(answering(t, strings.Replace(tc.answer, "$", tc.more, 1)))
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAnExecutionThatNoCallCouldAskForIsAsGoodAsNotTold(t *testing.T) {
	for _, id := range []string{strings.Repeat("a", maxID+1), "a/b", "a\\nb"} {
		result, err := answering(t, `{"execution_id":"`+id+`","status":"pending"}`).ExecuteWorkflow(t.Context(), "acme", "flow", nil)
		if err != nil || result.ExecutionID != "" || result.Status != "pending" {
			t.Errorf("%.20q: got %+v, %v", id, result, err)
		}
	}
}

func TestWhatHasNothingOfAnAnswerIsNone(t *testing.T) {
	c := answering(t, `{}`)
	_, account := c.GetLinkedAccount(t.Context(), "acme")
	_, config := c.GetConfig(t.Context(), "acme", "c1")
	_, hook := c.GetWebhook(t.Context(), "acme")
	for _, err := range []error{account, config, hook} {
		if err == nil || !strings.HasSuffix(err.Error(), "has no _id") {
			t.Errorf("got %v: a gateway may answer so", err)
		}
	}
}

// answering is a client of an API that always answers the same.
func answering(t *testing.T, text string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	c, err := New(Options{BaseURL: server.URL, APIKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
