package main

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	function "github.com/blox/blox/functions/api"
)

// Each function starts with what it is told and with nothing else, and asks nobody anything before its first request.
func TestBothHandlersStart(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	stream := map[string]string{
		"BLOX_HANDLER": "stream", "BLOX_INSTALLATION": "main", "BLOX_ACCOUNT": "210987654321", "AWS_REGION": "eu-west-1",
		"BLOX_STATE_TABLE": "state", "BLOX_VERSION": "1.2.3", "BLOX_RETENTION_DAYS": "7",
	}
	handler, err := newHandler(t.Context(), func(name string) string { return stream[name] })
	require.NoError(t, err)
	require.IsType(t, (*function.StreamHandler)(nil).Handle, handler)

	api := map[string]string{
		"BLOX_HANDLER": "api", "BLOX_DAEMON_TABLE": "daemon", "BLOX_WAKEUP_QUEUE_URL": "https://queue",
		"BLOX_RECONCILE_QUEUE_URL": "https://queue.fifo", "BLOX_RECONCILE_MINUTES": "5", "BLOX_ECS_READS_PER_SECOND": "10", "BLOX_MEMBERS": "none", "BLOX_EXTERNAL_ID": "none",
	}
	handler, err = newHandler(t.Context(), func(name string) string {
		if value, ok := api[name]; ok {
			return value
		}
		return stream[name]
	})
	require.NoError(t, err)
	answer, err := lambda.NewHandler(handler).Invoke(t.Context(), []byte(`{"httpMethod":"GET","path":"/v1/openapi.yaml"}`))
	require.NoError(t, err)
	require.Contains(t, string(answer), "version: 1.2.3", "the version that was deployed")

	_, err = newHandler(t.Context(), func(name string) string { return api[name] })
	require.EqualError(t, err, "environment variable BLOX_STATE_TABLE is not set")
}
