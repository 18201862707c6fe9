package state_test

import (
	"testing"

	"github.com/blox/blox/internal/state"
)

// BenchmarkMatches measures one filter on one record, per what it has to look at.
func BenchmarkMatches(b *testing.B) {
	task, host := taskRecord(b, taskDetail), hostRecord(b, hostDetail)
	both, _, err := state.Apply(task, see(taskKey("0f5d"), state.SourceDescribed, 4, 9, taskDetail[:len(taskDetail)-1]+`,"tags":[{"key":"a","value":"b"}]}`), noon, visibleFor)
	if err != nil {
		b.Fatal(err)
	}
	tasks := map[string]struct {
		record state.Record
		filter state.TaskFilter
		want   bool
	}{
		"beside":               {task, state.TaskFilter{Cluster: edge, LastStatus: "RUNNING", Family: "log-agent", Service: "web"}, true},
		"beside, service ARN":  {task, state.TaskFilter{Service: prefix + "service/edge/web"}, true},
		"detail":               {task, state.TaskFilter{Image: registry, LaunchType: "EC2"}, true},
		"detail, both sources": {both, state.TaskFilter{Image: registry, LaunchType: "EC2"}, true},
		"search, found beside": {task, state.TaskFilter{Search: "web 0f5d"}, true},
		"search, found":        {task, state.TaskFilter{Search: "web outofmemory"}, true},
		"search, not found":    {task, state.TaskFilter{Search: "web fluentd"}, false},
	}
	for name, test := range tasks {
		b.Run("task/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if test.filter.Matches(test.record) != test.want {
					b.Fatal("matches otherwise")
				}
			}
		})
	}
	hosts := map[string]struct {
		filter state.InstanceFilter
		want   bool
	}{
		"beside":            {state.InstanceFilter{Cluster: edge, Status: "DRAINING"}, true},
		"detail":            {state.InstanceFilter{InstanceType: "m8g.2xlarge", Attributes: []state.AttributeFilter{{Name: "rack"}}}, true},
		"search, found":     {state.InstanceFilter{Search: "canary"}, true},
		"search, not found": {state.InstanceFilter{Search: "fluentd"}, false},
	}
	for name, test := range hosts {
		b.Run("instance/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if test.filter.Matches(host) != test.want {
					b.Fatal("matches otherwise")
				}
			}
		})
	}
}
