package main

import (
	"maps"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"
)

// Each function starts with what it is told and with nothing else, and asks nobody anything before its first event.
func TestBothHandlersStart(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	dispatch := map[string]string{
		"BLOX_HANDLER": "dispatch", "BLOX_INSTALLATION": "main", "BLOX_STATE_TABLE": "state", "BLOX_DAEMON_TABLE": "daemon",
		"BLOX_WAKEUP_QUEUE_URL": "https://queue", "BLOX_RETENTION_DAYS": "7", "BLOX_EVENT_BUS": "blox-main",
		"BLOX_FORWARD_CHANGES": "true",
	}
	drive := maps.Clone(dispatch)
	maps.Copy(drive, map[string]string{
		"BLOX_HANDLER": "drive", "BLOX_ACCOUNT": "210987654321", "AWS_REGION": "eu-west-1", "BLOX_RECONCILE_MINUTES": "5",
		"BLOX_ECS_READS_PER_SECOND": "10", "BLOX_ECS_MODIFIES_PER_SECOND": "20",
		"BLOX_MEMBERS": "123456789012/eu-west-1", "BLOX_EXTERNAL_ID": "secret",
	})
	for _, environment := range []map[string]string{dispatch, drive} {
		handler, err := newHandler(t.Context(), func(name string) string { return environment[name] })
		require.NoError(t, err)
		_, err = lambda.NewHandler(handler).Invoke(t.Context(), []byte(`[]`))
		require.ErrorContains(t, err, map[string]string{"dispatch": "cannot unmarshal", "drive": "neither the tick"}[environment["BLOX_HANDLER"]])

		delete(environment, "BLOX_STATE_TABLE")
		_, err = newHandler(t.Context(), func(name string) string { return environment[name] })
		require.EqualError(t, err, "environment variable BLOX_STATE_TABLE is not set")
	}
}
