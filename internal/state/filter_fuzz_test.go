package state_test

import (
	"strings"
	"testing"

	"github.com/blox/blox/internal/state"
)

// FuzzFilters feeds every parser of a query's value with anything. None may panic;
// a refusal is short and says what is allowed; what is accepted is accepted again
// as it was given back, and can be matched.
func FuzzFilters(f *testing.F) {
	for _, seed := range []string{
		"", "RUNNING", "running", "fargate", "userinitiated", "web:7", "web:0", prefix + "task-definition/web:7",
		prefix + "service/edge/web", prefix + "container-instance/3b9e", "10.0.7.9", "::ffff:10.0.7.9", "fe80::1%eth0",
		"ring", "ring:", "ring:a:b", "ſtopped", "a b c d e f g h i", "İ ß Σ", "\xff", "\x00", `"\u0041"`, strings.Repeat("x", 300),
	} {
		f.Add(seed)
	}
	parsers := map[string]func(string) (string, error){
		"task status": state.ParseTaskStatus, "desired status": state.ParseDesiredStatus,
		"container instance status": state.ParseInstanceStatus, "health status": state.ParseHealthStatus,
		"launch type": state.ParseLaunchType, "stop code": state.ParseStopCode, "private IP": state.ParsePrivateIP,
		"task definition": state.ParseTaskDefinitionFilter, "service": state.ParseServiceFilter,
		"container instance": state.ParseContainerInstanceFilter,
		"attribute": func(s string) (string, error) {
			parsed, err := state.ParseAttributeFilter(s)
			return parsed.String(), err
		},
		"search": func(s string) (string, error) { return s, state.ValidateSearch(s) },
	}
	task, host := taskRecord(f, taskDetail), hostRecord(f, hostDetail)
	f.Fuzz(func(t *testing.T, s string) {
		for name, parse := range parsers {
			got, err := parse(s)
			if err != nil {
				checkRefusal(t, name, s, err)
				continue
			}
			if again, err := parse(got); err != nil || again != got {
				t.Fatalf("%s: %q became %q, and that %q, %v", name, s, got, again, err)
			}
		}
		matchAll(task, host, s)
	})
}

func checkRefusal(t *testing.T, name, s string, err error) {
	t.Helper()
	if !strings.Contains(err.Error(), "invalid") || len(err.Error()) > 5000 {
		t.Fatalf("%s: the error of %q is %q", name, s, err)
	}
	if !strings.Contains(err.Error(), "allowed") && !strings.Contains(err.Error(), "UTF-8") {
		t.Fatalf("%s: the error of %q does not say what is allowed: %q", name, s, err)
	}
}

// matchAll asks for the text in every field, checked or not: callers inside of Blox
// need not go through the parsers.
func matchAll(task, host state.Record, s string) {
	for _, filter := range []state.TaskFilter{
		{LastStatus: s},
		{DesiredStatus: s},
		{StartedBy: s},
		{Group: s},
		{Family: s},
		{ContainerInstance: s},
		{TaskDefinition: s},
		{Service: s},
		{LaunchType: s},
		{HealthStatus: s},
		{StopCode: s},
		{AvailabilityZone: s},
		{Image: s},
		{PrivateIP: s},
		{CapacityProvider: s},
		{Search: s},
	} {
		if filter.Matches(task) && !filter.Lasting().Matches(task) {
			panic("what matches now does not last")
		}
	}
	for _, filter := range []state.InstanceFilter{
		{Status: s},
		{EC2InstanceID: s},
		{InstanceType: s},
		{AvailabilityZone: s},
		{AgentVersion: s},
		{CapacityProvider: s},
		{Attributes: []state.AttributeFilter{{Name: s}}},
		{Attributes: []state.AttributeFilter{{Name: "ring", Value: &s}}},
		{Search: s},
	} {
		if filter.Matches(host) && !filter.Lasting().Matches(host) {
			panic("what matches now does not last")
		}
	}
}
