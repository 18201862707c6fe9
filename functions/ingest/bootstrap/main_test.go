package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The function starts with what it is told and with nothing else, and asks nobody anything before its first event.
func TestTheFunctionStarts(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "BLOX_INSTALLATION": "main", "BLOX_STATE_TABLE": "state", "BLOX_EVENTS_DLQ_URL": "https://dlq",
		"BLOX_RECONCILE_QUEUE_URL": "https://queue.fifo", "BLOX_RETENTION_DAYS": "7",
	} {
		t.Setenv(name, value)
	}
	handler, err := wire(t.Context())
	require.NoError(t, err)
	require.NotNil(t, handler)

	t.Setenv("BLOX_INSTALLATION", "")
	_, err = wire(t.Context())
	require.EqualError(t, err, "environment variable BLOX_INSTALLATION is not set")
}
