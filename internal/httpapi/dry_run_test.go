package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

// A dry run answers with a plan where the write would be done, and refuses what the write would refuse.
func TestADryRunRefusesWhatTheWriteRefuses(t *testing.T) {
	group := `"instanceGroup": {"cluster": "edge"}`
	for about, c := range map[string]struct {
		definition string
		want       int
	}{
		"a change of what was forced": {`{` + group + `, "taskDefinition": "plain:1", "deploymentConfiguration": {"maxUnavailable": 3}}`, 200},
		"a service that is not there": {`{` + group + `, "taskDefinition": "plain:1", "migrateFrom": "no-such-service"}`, 404},
		"a base revision too old":     {`{` + group + `, "taskDefinition": "plain:1", "baseRevision": 7}`, 409},
	} {
		t.Run(about, func(t *testing.T) {
			a := newAPI(t)
			a.definitions()
			a.instance()
			a.create(body("plain:1"))
			require.Equal(t, 200, a.do(http.MethodPut, "/v1/environments/m?force=true", `{`+group+`, "taskDefinition": "plain:1"}`).status)
			require.Equal(t, c.want, a.do(http.MethodPut, "/v1/environments/m?dryRun=true", c.definition).status)
			require.Equal(t, c.want, a.do(http.MethodPut, "/v1/environments/m", c.definition).status)
		})
	}
	a := newAPI(t)
	a.definitions()
	based := `{` + group + `, "taskDefinition": "plain:1", "baseRevision": 2}`
	require.Contains(t, a.do(http.MethodPut, "/v1/environments/m?dryRun=true", based).problem(409), "does not exist, and baseRevision is 2")
}

func TestADryRunOfAFreezeFreezesNothing(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	a.host(home, 1)
	planned := func(verb string) []string {
		var plan client.Plan
		a.do(http.MethodPost, "/v1/environments/log-agent/"+verb+"?dryRun=true", "").into(&plan)
		return steps(plan)
	}
	frozen := func() bool {
		stored, err := a.daemon.Environment(t.Context(), env.ID)
		require.NoError(t, err)
		return stored.Frozen != nil
	}
	require.Contains(t, planned("thaw"), "start i-001")
	require.NotContains(t, planned("freeze"), "start i-001")
	require.False(t, frozen())
	a.do(http.MethodPost, "/v1/environments/log-agent/freeze", "").object()
	require.NotContains(t, planned("freeze"), "start i-001")
	require.Contains(t, planned("thaw"), "start i-001")
	require.True(t, frozen())
}
