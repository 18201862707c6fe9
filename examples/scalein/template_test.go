// Package scalein has no code of its own: template.yaml is what there is to copy.
package scalein

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/metrics"
)

func template(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("template.yaml")
	require.NoError(t, err)
	return string(text)
}

// function is the Python text of the template's function.
func function(t *testing.T) string {
	t.Helper()
	const indent = "          "
	_, code, found := strings.Cut(template(t), "ZipFile: |\n")
	require.True(t, found)
	var lines []string
	for line := range strings.Lines(code) {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, indent) {
			break
		}
		lines = append(lines, strings.TrimPrefix(line, indent))
	}
	return strings.Join(lines, "")
}

func TestTheTemplateNamesWhatBloxMeasures(t *testing.T) {
	text := template(t)
	require.Contains(t, text, "Namespace: "+metrics.Namespace+"\n")
	require.Contains(t, text, "MetricName: "+string(metrics.HostsWithOnlyDaemons)+"\n")
	require.Contains(t, text, "{Name: "+metrics.DimensionInstallation+", Value: !Ref Installation}")
	require.Contains(t, text, "{Name: "+metrics.DimensionCluster+", Value: !Ref Cluster}")
	require.Contains(t, function(t), `DAEMON = "`+daemon.StartedByPrefix+`"`)
	require.NotRegexp(t, `[&*][a-z]+\n`, text, "CloudFormation knows no YAML aliases")
}

// harness is an ECS of a few hosts. A task comes to the host i-late when it is asked about for the first time.
const harness = `
import json, sys, types
sys.modules["boto3"] = types.SimpleNamespace(client=lambda name: ecs)

class Pages:
    def __init__(self, key, of): self.key, self.of = key, of
    def paginate(self, **asked):
        found = self.of(asked)
        for i in range(0, len(found), 2): yield {self.key: found[i:i + 2]}
        yield {self.key: []}

class ECS:
    tasks = {"i-idle": ["blox/1", "blox/2", "blox/3"], "i-busy": ["blox/1", "ecs-svc/9"], "i-empty": [], "i-late": ["blox/1"],
             "i-elsewhere": ["blox/1"], "i-unoffered": ["blox/1"], "i-second": ["blox/1"], "i-unnamed": ["blox/1", None]}
    status = {host: "ACTIVE" for host in tasks}
    def get_paginator(self, name):
        if name == "list_container_instances":
            return Pages("containerInstanceArns", lambda asked: sorted("arn/" + h for h in self.tasks if self.status[h] == asked["status"]))
        def tasks(asked):
            host = asked["containerInstance"].removeprefix("arn/")
            found = [f"{host} {i}" for i in range(len(self.tasks[host]))]
            if host == "i-late": self.tasks[host].append("ecs-svc/9")
            return found
        return Pages("taskArns", tasks)
    def describe_container_instances(self, cluster, containerInstances):
        assert cluster == "edge"
        return {"containerInstances": [{"ec2InstanceId": a.removeprefix("arn/"), "containerInstanceArn": a} for a in containerInstances]}
    def describe_tasks(self, cluster, tasks):
        found = [self.tasks[t.split()[0]][int(t.split()[1])] for t in tasks]
        return {"tasks": [{"startedBy": by} if by else {} for by in found]}
    def update_container_instances_state(self, cluster, containerInstances, status):
        for a in containerInstances: self.status[a.removeprefix("arn/")] = status

ecs = ECS()
`

func TestOnlyHostsWithNothingButDaemonsAreChosen(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: the function of the template is not tried")
	}
	cases := []struct {
		name, event, chosen, draining string
	}{
		{
			"as many as asked for, in the zones asked for",
			`{"CapacityToTerminate": [{"AvailabilityZone": "a", "Count": 1}], "Instances": ZONES}`,
			`["i-idle"]`, `["i-idle"]`,
		},
		{
			"fewer, if there are not so many",
			`{"CapacityToTerminate": [{"AvailabilityZone": "a", "Count": 7}, {"AvailabilityZone": "a", "Count": 1}], "Instances": ZONES}`,
			`["i-idle", "i-second"]`, `["i-idle", "i-second"]`,
		},
		{"none is asked for", `{"Instances": ZONES}`, `[]`, `[]`},
		{"none is offered", `{"CapacityToTerminate": [{"AvailabilityZone": "a", "Count": 1}]}`, `[]`, `[]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			script := harness + function(t) + `
os.environ["CLUSTER"] = "123456789012/eu-west-1/edge"
ZONES = [{"InstanceId": h, "AvailabilityZone": "b" if h == "i-elsewhere" else "a"} for h in ecs.tasks if h != "i-unoffered"]
chosen = handler(` + c.event + `, None)["InstanceIDs"]
print(json.dumps([chosen, sorted(h for h in ecs.status if ecs.status[h] != "ACTIVE")]))
`
			cmd := exec.CommandContext(t.Context(), python, "-c", script) //nolint:gosec // the repository's own example
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			require.NoError(t, err)
			var got [2]json.RawMessage
			require.NoError(t, json.Unmarshal(out, &got))
			require.JSONEq(t, c.chosen, string(got[0]))
			require.JSONEq(t, c.draining, string(got[1]), "what was not chosen takes tasks as before")
		})
	}
}
