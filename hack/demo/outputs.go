package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// outputs prints what the operator made of the samples beside their conditions:
// credentials that were migrated, and Secrets that it wrote, without their content.
func outputs(ctx context.Context, c client.Client, out *console) error {
	accounts := &v1alpha1.LinkedAccountList{}
	if err := c.List(ctx, accounts); err != nil {
		return fmt.Errorf("list the accounts: %w", err)
	}
	for _, account := range accounts.Items {
		for _, migrated := range account.Status.Credentials {
			out.printf("LinkedAccount %s: credentials of %s are migrated.\n", account.Name, migrated.Application)
		}
		token := account.Status.SessionToken
		if token == nil {
			continue
		}
		secret := &corev1.Secret{}
		if err := c.Get(ctx, client.ObjectKey{Namespace: account.Namespace, Name: token.SecretName}, secret); err != nil {
			return fmt.Errorf("read the session token of %s: %w", account.Name, err)
		}
		keys := strings.Join(slices.Sorted(maps.Keys(secret.Data)), ", ")
		out.printf("LinkedAccount %s: Secret %s has a session token (%s).\n", account.Name, secret.Name, keys)
	}
	return nil
}
