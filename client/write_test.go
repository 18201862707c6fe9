package client

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every changing call that the API can plan takes a dry run: its answer is the plan, and nothing else.
func TestADryRunAnswersWithThePlan(t *testing.T) {
	for want, do := range map[string]func(*Client, WriteOption) (id string, err error){
		`PUT /v1/environments/n?dryRun=true {"taskDefinition":""}`: func(c *Client, dry WriteOption) (string, error) {
			env, err := c.PutEnvironment(t.Context(), "n", EnvironmentDefinition{}, dry)
			return env.ID, err
		},
		"DELETE /v1/environments/n?dryRun=true": func(c *Client, dry WriteOption) (string, error) {
			return "", c.DeleteEnvironment(t.Context(), "n", nil, dry)
		},
		"POST /v1/environments/n/deployments?deploymentToken=token&dryRun=true": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.CreateDeployment(t.Context(), "n", "token", dry)
			return dep.ID, err
		},
		"POST /v1/environments/n/restart?dryRun=true": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.RestartEnvironment(t.Context(), "n", "", dry)
			return dep.ID, err
		},
		"POST /v1/environments/n/rollback?dryRun=true": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.RollBackEnvironment(t.Context(), "n", 0, "", dry)
			return dep.ID, err
		},
		"POST /v1/environments/n/pause?dryRun=true {}": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.PauseDeployment(t.Context(), "n", "", dry)
			return dep.ID, err
		},
		"POST /v1/environments/n/resume?dryRun=true {}": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.ResumeDeployment(t.Context(), "n", "", dry)
			return dep.ID, err
		},
		"POST /v1/environments/n/promote?dryRun=true {}": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.PromoteDeployment(t.Context(), "n", "", dry)
			return dep.ID, err
		},
		"POST /v1/environments/n/stop?dryRun=true {}": func(c *Client, dry WriteOption) (string, error) {
			dep, err := c.StopDeployment(t.Context(), "n", "", dry)
			return dep.ID, err
		},
	} {
		t.Run(want, func(t *testing.T) {
			f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(503, "{}"), status(200, `{"environment": "n", "id": "d"}`)}}
			var plan Plan
			id, err := do(f.start(t, Options{}), WithDryRun(&plan))
			require.NoError(t, err)
			require.Equal(t, []string{want, want}, f.requests, "it may always be tried again")
			require.Equal(t, "n", plan.Environment)
			require.Empty(t, id)
		})
	}
}

// What the first try did could make the second one fail, or be done twice.
func TestCallsThatAreMadeOnce(t *testing.T) {
	for about, do := range map[string]func(*Client) error{
		"resume":                   func(c *Client) error { _, err := c.ResumeDeployment(t.Context(), "n", ""); return err },
		"restart without a token":  func(c *Client) error { _, err := c.RestartEnvironment(t.Context(), "n", ""); return err },
		"rollback without a token": func(c *Client) error { _, err := c.RollBackEnvironment(t.Context(), "n", 0, ""); return err },
	} {
		t.Run(about, func(t *testing.T) {
			f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(503, "{}")}}
			require.Equal(t, 503, StatusOf(do(f.start(t, Options{}))))
			require.Len(t, f.requests, 1)
		})
	}
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(503, "{}"), status(200, "{}")}}
	_, err := f.start(t, Options{}).RestartEnvironment(t.Context(), "n", "token")
	require.NoError(t, err)
	require.Len(t, f.requests, 2)
}

func TestAmountsAreTextOrNumbers(t *testing.T) {
	for given, want := range map[string]Amount{`"25%"`: "25%", `3`: "3", `"3"`: "3", `1.5`: "1.5", `""`: ""} {
		var amount Amount
		require.NoError(t, json.Unmarshal([]byte(given), &amount))
		require.Equal(t, want, amount, given)
	}
}

func TestEnvironmentsAreFoundByStatus(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){
		status(200, `{"items": [{"name": "a"}], "nextToken": "1"}`), status(200, `{"items": [{"name": "b"}]}`),
	}}
	var names []string
	for env, err := range f.start(t, Options{}).FindEnvironments(t.Context(), EnvironmentFilter{Cluster: "edge", Status: EnvironmentDeleted}) {
		require.NoError(t, err)
		names = append(names, env.Name)
	}
	require.Equal(t, []string{"a", "b"}, names)
	require.Equal(t, []string{"GET /v1/environments?cluster=edge&status=DELETED", "GET /v1/environments?cluster=edge&nextToken=1&status=DELETED"}, f.requests)
}

func TestWhenADeploymentHasEnded(t *testing.T) {
	for _, is := range []string{DeploymentPending, DeploymentRunning, DeploymentPaused, DeploymentBaking, DeploymentRollingBack} {
		require.False(t, Deployment{Status: is}.Ended(), is)
	}
	for _, is := range []string{DeploymentCompleted, DeploymentRolledBack, DeploymentFailed, DeploymentStopped, DeploymentSuperseded} {
		require.True(t, Deployment{Status: is}.Ended(), is)
	}
}
