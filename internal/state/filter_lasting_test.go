package state_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

func TestWhatLasts(t *testing.T) {
	all := state.TaskFilter{
		Cluster: edge, LastStatus: "RUNNING", DesiredStatus: "RUNNING", StartedBy: "ops", Group: "g", Family: "f",
		ContainerInstance: "1", TaskDefinition: "f:1", Service: "s", LaunchType: "EC2", HealthStatus: "HEALTHY",
		StopCode: "UserInitiated", AvailabilityZone: "a", Image: "i", PrivateIP: "10.0.0.1", CapacityProvider: "c",
		StartedSince: noon, StartedUntil: noon, StoppedSince: noon, StoppedUntil: noon, Search: "s",
	}
	require.Equal(t, state.TaskFilter{
		Cluster: edge, StartedBy: "ops", Group: "g", Family: "f", ContainerInstance: "1", TaskDefinition: "f:1",
		Service: "s", LaunchType: "EC2",
	}, all.Lasting())
	instances := state.InstanceFilter{
		Cluster: edge, Status: "ACTIVE", AgentConnected: new(true), EC2InstanceID: "i-1", InstanceType: "t", AvailabilityZone: "a",
		AgentVersion: "1", CapacityProvider: "c", Attributes: []state.AttributeFilter{{Name: "ring"}},
		RegisteredSince: noon, RegisteredUntil: noon, Search: "s",
	}
	require.Equal(t, state.InstanceFilter{Cluster: edge, EC2InstanceID: "i-1"}, instances.Lasting())
}

// life draws the records that a task or container instance leaves, oldest first:
// versions rise, both sources tell in turn, and each may leave out what it is
// free to leave out.
type life struct {
	t       *rapid.T
	records []state.Record
}

func (l *life) see(seen state.Observation) {
	var last state.Record
	if len(l.records) > 0 {
		last = l.records[len(l.records)-1]
	}
	next, outcome, err := state.Apply(last, seen, noon, visibleFor)
	require.NoError(l.t, err)
	if outcome.Written() {
		l.records = append(l.records, next)
	}
}

// maybe adds one of the values, or nothing.
func (l *life) maybe(detail map[string]any, name string, values ...any) {
	if i := rapid.IntRange(0, len(values)).Draw(l.t, name); i > 0 {
		detail[name] = values[i-1]
	}
}

func (l *life) tell(key state.Key, version int64, second int, detail map[string]any) {
	raw, err := json.Marshal(detail)
	require.NoError(l.t, err)
	source := rapid.SampledFrom([]state.Source{state.SourceEvent, state.SourceDescribed}).Draw(l.t, "source")
	l.see(see(key, source, version, second, string(raw)))
}

func lifeOfTask(t *rapid.T) []state.Record {
	l := &life{t: t}
	fixed := map[string]any{"launchType": rapid.SampledFrom([]string{"EC2", "FARGATE"}).Draw(t, "launchType")}
	fixed["taskDefinitionArn"] = fmt.Sprintf("%stask-definition/f%d:%d", prefix, rapid.IntRange(1, 2).Draw(t, "family"), rapid.IntRange(1, 2).Draw(t, "revision"))
	l.maybe(fixed, "startedBy", "ops", "dev")
	l.maybe(fixed, "group", "service:web", "service:api", "g")
	placed := rapid.IntRange(0, 5).Draw(t, "placed")
	host := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "host")
	statuses := []string{"PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING", "STOPPED"}
	for step, status := range statuses {
		detail := map[string]any{"lastStatus": status, "desiredStatus": "RUNNING", "version": step + 1}
		for name, value := range fixed {
			detail[name] = value
		}
		if step >= placed {
			detail["containerInstanceArn"] = prefix + "container-instance/edge/" + host
		}
		l.maybe(detail, "healthStatus", "HEALTHY", "UNHEALTHY")
		l.maybe(detail, "availabilityZone", "a", "b")
		l.maybe(detail, "capacityProviderName", "c", "d")
		l.maybe(detail, "startedAt", noon, noon.Add(time.Second))
		l.maybe(detail, "stopCode", "UserInitiated", "SpotInterruption")
		l.maybe(detail, "containers", []any{map[string]any{"image": "i"}}, []any{map[string]any{"image": "j"}})
		l.tell(taskKey("1"), int64(step+1), step, detail)
		if rapid.Bool().Draw(t, "told twice") {
			l.tell(taskKey("1"), int64(step+1), step+1, detail)
		}
	}
	if last := l.records[len(l.records)-1]; last.Tombstone == nil || rapid.Bool().Draw(t, "missing") {
		l.records = append(l.records, state.InferGone(last, noon, visibleFor))
	}
	return l.records
}

// drawTaskFilter sets a few fields: one that asks for everything matches nothing.
func drawTaskFilter(t *rapid.T) state.TaskFilter {
	fields := []func(*state.TaskFilter){
		func(f *state.TaskFilter) { f.LastStatus = "RUNNING" },
		func(f *state.TaskFilter) { f.DesiredStatus = "STOPPED" },
		func(f *state.TaskFilter) { f.StartedBy = "ops" },
		func(f *state.TaskFilter) { f.Group = "service:web" },
		func(f *state.TaskFilter) { f.Family = "f1" },
		func(f *state.TaskFilter) { f.ContainerInstance = "1" },
		func(f *state.TaskFilter) { f.TaskDefinition = "f1:2" },
		func(f *state.TaskFilter) { f.TaskDefinition = prefix + "task-definition/f1:1" },
		func(f *state.TaskFilter) { f.Service = "web" },
		func(f *state.TaskFilter) { f.LaunchType = "ec2" },
		func(f *state.TaskFilter) { f.HealthStatus = "healthy" },
		func(f *state.TaskFilter) { f.StopCode = "UserInitiated" },
		func(f *state.TaskFilter) { f.AvailabilityZone = "a" },
		func(f *state.TaskFilter) { f.Image = "i" },
		func(f *state.TaskFilter) { f.CapacityProvider = "c" },
		func(f *state.TaskFilter) { f.StartedSince = noon.Add(time.Second) },
		func(f *state.TaskFilter) { f.StoppedSince = noon },
		func(f *state.TaskFilter) { f.Search = "f1 userinit" },
	}
	var filter state.TaskFilter
	for _, set := range rapid.SliceOfN(rapid.SampledFrom(fields), 0, 3).Draw(t, "fields") {
		set(&filter)
	}
	return filter
}

func TestWhatMatchedOnceMatchesForLife(t *testing.T) {
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		records := lifeOfTask(t)
		for range 10 {
			matched += checkLasting(t, drawTaskFilter(t), records)
		}
	})
	require.Greater(t, matched, 1000, "the filters drawn match nothing")
}

// checkLasting gives how many of the records the filter matches.
func checkLasting(t *rapid.T, filter state.TaskFilter, records []state.Record) (matched int) {
	lasting := filter.Lasting()
	fixed := lasting // without the one field that is set later than the task is made
	fixed.ContainerInstance = ""
	for i, earlier := range records {
		if !filter.Matches(earlier) {
			continue
		}
		matched++
		for j, other := range records {
			if j >= i && !lasting.Matches(other) || !fixed.Matches(other) {
				t.Fatalf("%+v matched record %d, and Lasting does not match record %d:\n%s\n%s",
					filter, i, j, detail(t, earlier), detail(t, other))
			}
		}
	}
	return matched
}

func drawInstanceFilter(t *rapid.T) state.InstanceFilter {
	fields := []func(*state.InstanceFilter){
		func(f *state.InstanceFilter) { f.Status = "ACTIVE" },
		func(f *state.InstanceFilter) { f.AgentConnected = new(true) },
		func(f *state.InstanceFilter) { f.EC2InstanceID = "i-1" },
		func(f *state.InstanceFilter) { f.InstanceType = "m8g.large" },
		func(f *state.InstanceFilter) { f.AvailabilityZone = "a" },
		func(f *state.InstanceFilter) { f.AgentVersion = "1" },
		func(f *state.InstanceFilter) { f.CapacityProvider = "c" },
		func(f *state.InstanceFilter) { f.Attributes = []state.AttributeFilter{{Name: "ring"}} },
		func(f *state.InstanceFilter) { f.RegisteredUntil = noon.Add(1) },
		func(f *state.InstanceFilter) { f.Search = "i-1 ring" },
	}
	var filter state.InstanceFilter
	for _, set := range rapid.SliceOfN(rapid.SampledFrom(fields), 0, 3).Draw(t, "fields") {
		set(&filter)
	}
	return filter
}

func lifeOfInstance(t *rapid.T) []state.Record {
	l := &life{t: t}
	registering := rapid.Bool().Draw(t, "EC2 instance is told later")
	attribute := func(name, value string) map[string]any { return map[string]any{"name": name, "value": value} }
	for step := range 6 {
		detail := map[string]any{"version": step + 1, "status": rapid.SampledFrom([]string{"ACTIVE", "DRAINING"}).Draw(t, "is")}
		if step > 1 || !registering {
			detail["ec2InstanceId"] = "i-1"
		}
		l.maybe(detail, "agentConnected", true, false)
		l.maybe(detail, "attributes", []any{attribute("ring", "1")},
			[]any{attribute("ecs.availability-zone", "a"), attribute("ecs.instance-type", "m8g.large")})
		l.maybe(detail, "versionInfo", map[string]any{"agentVersion": "1"}, map[string]any{"agentVersion": "2"})
		l.maybe(detail, "capacityProviderName", "c", "d")
		l.maybe(detail, "registeredAt", noon, noon.Add(time.Second))
		l.tell(instanceKey("1"), int64(step+1), step, detail)
	}
	return append(l.records, state.InferGone(l.records[len(l.records)-1], noon, visibleFor))
}

func TestWhatMatchedAContainerInstanceOnceMatchesForLife(t *testing.T) {
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		records := lifeOfInstance(t)
		for range 10 {
			filter := drawInstanceFilter(t)
			for i, earlier := range records {
				if !filter.Matches(earlier) {
					continue
				}
				matched++
				for _, later := range records[i:] {
					if !filter.Lasting().Matches(later) {
						t.Fatalf("%+v matched once, and Lasting does not match later:\n%s\n%s",
							filter, detail(t, earlier), detail(t, later))
					}
				}
			}
		}
	})
	require.Greater(t, matched, 1000, "the filters drawn match nothing")
}

func detail(t require.TestingT, r state.Record) string {
	raw, err := r.Detail()
	require.NoError(t, err)
	return string(raw)
}
