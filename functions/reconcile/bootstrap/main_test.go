package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The function starts with what it is told and with nothing else, and asks nobody anything before its first event.
func TestTheFunctionStarts(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "BLOX_INSTALLATION": "main", "BLOX_ACCOUNT": "210987654321", "BLOX_STATE_TABLE": "state",
		"BLOX_DAEMON_TABLE": "daemon", "BLOX_RECONCILE_QUEUE_URL": "https://queue.fifo", "BLOX_RETENTION_DAYS": "7",
		"BLOX_RECONCILE_MINUTES": "5", "BLOX_ECS_READS_PER_SECOND": "10",
		"BLOX_MEMBERS": "123456789012/eu-west-1,210987654321/us-east-1", "BLOX_EXTERNAL_ID": "secret",
	} {
		t.Setenv(name, value)
	}
	handler, err := wire(t.Context())
	require.NoError(t, err)
	_, err = handler.Handle(t.Context(), []byte(`{}`))
	require.ErrorContains(t, err, "unknown payload")

	t.Setenv("BLOX_MEMBERS", "210987654321/eu-west-1")
	_, err = wire(t.Context())
	require.ErrorContains(t, err, "is the home, which is always there")
}
