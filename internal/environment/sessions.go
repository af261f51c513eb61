package environment

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// Sessions keep session tokens in memory for calls that need one.
type Sessions struct {
	clock clock.PassiveClock

	mu        sync.Mutex
	byAccount map[string]session
}

type session struct {
	token string
	issue TokenInfo
}

func newSessions(c clock.PassiveClock) *Sessions {
	return &Sessions{clock: c, byAccount: map[string]session{}}
}

// Token returns a session token of an account that is good for a while. made
// stands for the account in Cobalt, with which its tokens end.
func (s *Sessions) Token(ctx context.Context, api *cobalt.Client, account, made string) (string, error) {
	s.mu.Lock()
	present, ok := s.byAccount[account]
	s.mu.Unlock()
	if ok && present.issue.Account == made && s.clock.Now().Before(present.issue.RenewAt(UsualRefresh)) {
		return present.token, nil
	}
	minted, err := api.CreateSessionToken(ctx, account)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byAccount[account] = session{minted.Token, ReadToken(made, minted, s.clock.Now())}
	return minted.Token, nil
}

// Drop forgets a token that was refused.
func (s *Sessions) Drop(account, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAccount[account].token == token {
		delete(s.byAccount, account)
	}
}

// sweep forgets tokens that have to be renewed anyway.
func (s *Sessions) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for account, present := range s.byAccount {
		if !now.Before(present.issue.RenewAt(UsualRefresh)) {
			delete(s.byAccount, account)
		}
	}
}
