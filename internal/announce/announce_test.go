package announce

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

var at = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func deployment() (daemon.Environment, daemon.Deployment) {
	cluster := state.ClusterKey{Account: "123456789012", Region: "eu-west-1", Name: "edge"}
	came := at.Add(-31 * time.Minute)
	environment := daemon.Environment{
		ID: "0199f000-aaaa-7000-8000-000000000001", Name: "log-agent", Partition: "aws", Clusters: []state.ClusterKey{cluster},
	}
	deployment := daemon.Deployment{
		ID: "0199f000-bbbb-7000-8000-000000000002", Revision: 3, Status: daemon.DeploymentRunning, CreatedAt: at.Add(-time.Hour),
		Counts:   daemon.Counts{Desired: 10, Updated: 7, Healthy: 9, Unavailable: 1, Failed: 1, Exempt: 1},
		Progress: daemon.Progress{At: &came, Desired: 10, Remaining: 3, Blocked: 1},
		FailedInstances: []daemon.FailedInstance{{
			Host: daemon.HostKey{Cluster: cluster, EC2InstanceID: "i-1"}, Reason: "RESOURCE:MEMORY",
		}},
	}
	return environment, deployment
}

// People's rules and programs read this.
func TestTheDetailOfAnEvent(t *testing.T) {
	env, dep := deployment()
	event := Of(DeploymentStuck, "main", env, dep, "no host was updated", at)
	got, err := event.json()
	require.NoError(t, err)
	require.JSONEq(t, `{
		"installation": "main", "account": "123456789012", "region": "eu-west-1",
		"environmentId": "0199f000-aaaa-7000-8000-000000000001", "environmentName": "log-agent",
		"clusters": ["arn:aws:ecs:eu-west-1:123456789012:cluster/edge"],
		"deploymentId": "0199f000-bbbb-7000-8000-000000000002", "revision": 3, "status": "running",
		"reason": "no host was updated", "counts": {"desired": 10, "updated": 7, "healthy": 9, "unavailable": 1, "failed": 1, "exempt": 1},
		"blocked": 1, "since": "2026-11-20T08:29:00Z",
		"failedInstances": [{"host": "123456789012/eu-west-1/edge/i-1", "reason": "RESOURCE:MEMORY"}]
	}`, got)
	require.Equal(t, []string{"arn:aws:ecs:eu-west-1:123456789012:cluster/edge"}, event.resources())
}

// A deployment may be stuck, or its environment blocked, more than once: since tells one time from the next.
func TestWhatLastsSaysSinceWhen(t *testing.T) {
	env, dep := deployment()
	blocked := at.Add(-12 * time.Minute)
	dep.Progress.BlockedSince = &blocked
	require.Nil(t, Of(DeploymentStateChange, "main", env, dep, "", at).Detail.Since)
	require.Equal(t, blocked, *Of(EnvironmentBlocked, "main", env, dep, "", at).Detail.Since)
	require.Equal(t, at.Add(-31*time.Minute), *Of(DeploymentStuck, "main", env, dep, "", at).Detail.Since)
	dep.Progress.At = nil
	require.Equal(t, dep.CreatedAt, *Of(DeploymentStuck, "main", env, dep, "", at).Detail.Since, "it never came forward")
}

func TestAnEventIsNeverTooLarge(t *testing.T) {
	env, dep := deployment()
	long := dep.FailedInstances[0]
	long.Reason = strings.Repeat("é", 100_000)
	for range daemon.MaxFailedInstances {
		dep.FailedInstances = append(dep.FailedInstances, long)
	}
	for range 49 { // an environment has at most 50 clusters
		env.Clusters = append(env.Clusters, state.ClusterKey{Account: "123456789012", Region: "eu-west-1", Name: strings.Repeat("x", 255)})
	}
	text, err := Of(EnvironmentBlocked, "main", env, dep, "", at).json()
	require.NoError(t, err)
	require.Less(t, len(text), 64<<10, "EventBridge takes 256 KB in one call of up to ten")
	var detail Detail
	require.NoError(t, json.Unmarshal([]byte(text), &detail))
	require.Len(t, detail.FailedInstances, MaxFailedInstances)
}
