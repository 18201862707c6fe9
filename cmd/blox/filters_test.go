package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asked runs a command line against an API that finds nothing, and gives the query of its first call.
func asked(t *testing.T, line string) url.Values {
	t.Helper()
	var queries []url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.Query())
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"items": []}`))
	}))
	t.Cleanup(server.Close)
	s := newSession(t)
	s.env[endpointEnv] = server.URL
	got := s.run(line)
	require.Equal(t, exitOK, got.code, got.stderr)
	require.NotEmpty(t, queries)
	return queries[0]
}

func TestEveryFilterReachesTheAPI(t *testing.T) {
	now := newSession(t).now
	for _, c := range []struct {
		flag, parameter, value string
	}{
		{"cluster edge", "cluster", "edge"},
		{"status running", "status", "running"},
		{"desired-status stopped", "desiredStatus", "stopped"},
		{"started-by ops", "startedBy", "ops"},
		{"group family:web", "group", "family:web"},
		{"family web", "family", "web"},
		{"task-definition web:3", "taskDefinition", "web:3"},
		{"service web", "service", "web"},
		{"container-instance abc", "containerInstance", "abc"},
		{"launch-type ec2", "launchType", "ec2"},
		{"health-status healthy", "healthStatus", "healthy"},
		{"stop-code UserInitiated", "stopCode", "UserInitiated"},
		{"availability-zone eu-west-1a", "availabilityZone", "eu-west-1a"},
		{"image nginx", "image", "nginx"},
		{"private-ip 10.0.0.1", "privateIp", "10.0.0.1"},
		{"capacity-provider spot", "capacityProvider", "spot"},
		{"search disk", "q", "disk"},
		{"sort -createdAt", "sort", "-createdAt"},
		{"fields taskArn,lastStatus -o json", "fields", "taskArn,lastStatus"},
		{"started-since 2026-11-20T10:00:00+01:00", "startedSince", "2026-11-20T09:00:00Z"},
		{"started-until 90m", "startedUntil", now.Add(-90 * time.Minute).Format(time.RFC3339)},
		{"stopped-since 7d", "stoppedSince", now.Add(-7 * 24 * time.Hour).Format(time.RFC3339)},
		{"stopped-until 2h", "stoppedUntil", now.Add(-2 * time.Hour).Format(time.RFC3339)},
	} {
		require.Equal(t, c.value, asked(t, "get tasks --"+c.flag).Get(c.parameter), c.flag)
	}
	for _, c := range []struct {
		flag, parameter, value string
	}{
		{"cluster edge", "cluster", "edge"},
		{"status active", "status", "active"},
		{"instance-type m7g.large", "instanceType", "m7g.large"},
		{"availability-zone eu-west-1a", "availabilityZone", "eu-west-1a"},
		{"ec2-instance-id i-1", "ec2InstanceId", "i-1"},
		{"agent-version 1.80.0", "agentVersion", "1.80.0"},
		{"agent-connected", "agentConnected", "true"},
		{"agent-connected=false", "agentConnected", "false"},
		{"capacity-provider spot", "capacityProvider", "spot"},
		{"registered-since 1h", "registeredSince", now.Add(-time.Hour).Format(time.RFC3339)},
		{"registered-until 1h", "registeredUntil", now.Add(-time.Hour).Format(time.RFC3339)},
		{"search x", "q", "x"},
		{"sort registeredAt", "sort", "registeredAt"},
		{"fields status -o json", "fields", "status"},
	} {
		require.Equal(t, c.value, asked(t, "get instances --"+c.flag).Get(c.parameter), c.flag)
	}
	require.Equal(
		t,
		[]string{"rack:r1,r2", "gpu"},
		asked(t, "get instances --attribute rack:r1,r2 --attribute gpu")["attribute"],
		"a value may have commas",
	)
	require.NotContains(t, asked(t, "get instances"), "agentConnected")
}

func TestAPageIsNoLargerThanWhatIsShown(t *testing.T) {
	for limit, want := range map[string]string{"1": "2", "2": "3", "999": "1000", "1000": "1000", "5000": "1000"} {
		require.Equal(t, want, asked(t, "get tasks --limit "+limit).Get("limit"))
		require.Equal(t, want, asked(t, "get instances --limit "+limit).Get("limit"))
	}
}

func TestWhichTasksAreLive(t *testing.T) {
	for line, want := range map[string]string{
		"": "RUNNING", "--family web": "RUNNING", "--all": "", "--status stopped": "", "--desired-status stopped": "stopped",
		"--sort=-stoppedAt": "", "--sort stoppedAt": "", "--sort createdAt": "RUNNING", "--stop-code UserInitiated": "", "--stopped-since 1h": "", "--stopped-until 1h": "", "--started-since 1h": "RUNNING",
	} {
		require.Equal(t, want, asked(t, "get tasks "+line).Get("desiredStatus"), line)
	}
}

func TestMistakesInFilters(t *testing.T) {
	s := newSession(t)
	for line, says := range map[string]string{
		"get tasks --started-since yesterday":               "allowed are a time of RFC 3339, such as 2026-11-20T09:00:00Z, and how long ago it was",
		"get tasks --started-since -1h":                     "how long ago it was",
		"get tasks --stopped-until 99999999d":               "how long ago it was",
		"get instances --registered-since 0s":               "how long ago it was",
		"get instances --agent-connected=maybe":             "invalid argument",
		"get tasks --fields taskArn":                        "--fields is of use with -o json only",
		"get task x --cluster c --family web":               "--family and a name were given: the only filter that is allowed with a name is --cluster",
		"get task x --cluster c --status running --image y": "--image, --status and a name were given",
		"get instance x --cluster c --status active":        "--status and a name were given",
		"get instance x --cluster c --agent-connected":      "--agent-connected and a name were given",
		"get instances --agent-connected false":             `"false" was taken for a name: say --agent-connected=false`,
		"get tasks --watch --sort createdAt":                "--sort and --fields are for lists",
		"get instances x --cluster c --sort x":              "--sort and --fields are for lists",
		"get environments x --started-by y":                 "--started-by and a name, --cluster or --status were given",
		"get environments --cluster x --started-by y":       "--started-by and a name, --cluster or --status were given",
		"reconcile":        "0 arguments: want blox reconcile CLUSTER",
		"describe cluster": "0 arguments: want blox describe cluster CLUSTER",
		"version -o yaml":  `--output "yaml": allowed are table and json`,
	} {
		s.run(line).fails(exitUsage, says)
	}
}
