package daemon

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/clusterquery"
)

// distinctInstance sees the environment's own group only, and the table may not know yet of what the one before it left.
func TestAStartIsRefusedWhereATaskWasLeftByTheEnvironmentBefore(t *testing.T) {
	s := fixture()
	s.Environment.FormerIDs = []string{"019ca6b9-ecd8-74a3-8acc-007f2e6d8d30"}
	constraints := func(s Snapshot) []PlacementConstraint {
		for _, a := range Plan(s, t0) {
			if a.Kind == Start || a.Kind == Surge {
				var request RunRequest
				require.NoError(t, json.Unmarshal(a.Slot.Request, &request))
				return request.PlacementConstraints
			}
		}
		t.Fatal("nothing is started")
		return nil
	}
	got := constraints(s.with(1))
	require.Equal(t, "distinctInstance", got[0].Type)
	require.Len(t, got, 3)
	expression, err := clusterquery.Parse(got[2].Expression)
	require.NoError(t, err)
	for group, allowed := range map[string]bool{Group("blox", s.Environment.FormerIDs[0]): false, Group("blox", "env"): true} {
		matches, err := expression.Matches(clusterquery.Host{TaskGroups: []string{group}})
		require.NoError(t, err)
		require.Equal(t, allowed, matches, group)
	}
	require.Len(t, constraints(surgeMethod(s).with(1, running(1))), 1, "a surge begins beside it")
}
