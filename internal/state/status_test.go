package state_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestStatusesAreReadInAnyCase(t *testing.T) {
	tests := map[string]struct {
		parse   func(string) (string, error)
		allowed []string
	}{
		"task status":               {state.ParseTaskStatus, state.TaskStatuses()},
		"desired status":            {state.ParseDesiredStatus, state.DesiredStatuses()},
		"container instance status": {state.ParseInstanceStatus, state.InstanceStatuses()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.True(t, slices.IsSorted(test.allowed))
			for _, status := range test.allowed {
				for _, spelling := range []string{status, strings.ToLower(status), status[:1] + strings.ToLower(status[1:])} {
					got, err := test.parse(spelling)
					require.NoError(t, err)
					require.Equal(t, status, got)
				}
			}
			for _, wrong := range []string{"", "GONE", " " + test.allowed[0], strings.Repeat("x", 10000)} {
				_, err := test.parse(wrong)
				require.ErrorContains(t, err, "invalid "+name)
				require.ErrorContains(t, err, strings.Join(test.allowed, ", "))
				require.Less(t, len(err.Error()), 1000)
			}
		})
	}
}

func TestEveryStatusOfECSIsKnown(t *testing.T) {
	for _, status := range []string{
		"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED",
	} {
		require.Contains(t, state.TaskStatuses(), status)
	}
	require.Equal(t, []string{"RUNNING", "STOPPED"}, state.DesiredStatuses())
	for _, status := range []string{
		"REGISTERING", "REGISTRATION_FAILED", "ACTIVE", "DRAINING", "DEREGISTERING", "INACTIVE",
	} {
		require.Contains(t, state.InstanceStatuses(), status)
	}
}

func TestListsOfStatusesCannotBeSpoilt(t *testing.T) {
	state.TaskStatuses()[0] = "spoilt"
	state.Partitions()[0] = "spoilt"
	require.NotContains(t, state.TaskStatuses(), "spoilt")
	require.NotContains(t, state.Partitions(), "spoilt")
}
