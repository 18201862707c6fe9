package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/client"
)

var t0 = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func host(zone string, connected bool) client.ContainerInstance {
	return client.ContainerInstance{Entity: client.ContainerInstanceEntity{
		Status: "ACTIVE", AgentConnected: connected,
		Attributes: []client.Attribute{{Name: "ecs.os-type", Value: "linux"}, {Name: "ecs.availability-zone", Value: zone}},
	}}
}

func task(id, group, desiredStatus string, minute int) client.Task {
	created := t0.Add(time.Duration(minute) * time.Minute)
	return client.Task{Entity: client.TaskEntity{TaskARN: id, Group: group, DesiredStatus: desiredStatus, CreatedAt: &created}}
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		hosts []client.ContainerInstance
		tasks []client.Task
		want  []start
	}{
		"nothing":                   {nil, nil, nil},
		"each zone once":            {[]client.ContainerInstance{host("a", true), host("b", true), host("a", true)}, nil, []start{{"z:a", "a", ""}, {"z:b", "b", ""}}},
		"a host that takes none":    {[]client.ContainerInstance{host("a", false)}, nil, nil},
		"a task that is on its way": {[]client.ContainerInstance{host("a", true)}, []client.Task{task("1", "z:a", "RUNNING", 0)}, nil},
		"somebody else's task":      {[]client.ContainerInstance{host("a", true)}, []client.Task{task("1", "web:a", "RUNNING", 0)}, []start{{"z:a", "a", ""}}},
		"one that has ended":        {[]client.ContainerInstance{host("a", true)}, []client.Task{task("1", "z:a", "STOPPED", 0)}, []start{{"z:a", "a", "1"}}},
		"the last that has ended": {
			[]client.ContainerInstance{host("a", true)},
			[]client.Task{task("1", "z:a", "STOPPED", 5), task("2", "z:a", "STOPPED", 3), task("3", "z:b", "STOPPED", 9)},
			[]start{{"z:a", "a", "1"}},
		},
		"one ended, one runs": {[]client.ContainerInstance{host("a", true)}, []client.Task{task("1", "z:a", "STOPPED", 5), task("2", "z:a", "RUNNING", 3)}, nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, plan("z:", c.hosts, c.tasks)) })
	}
}

// Whatever is seen, in whatever order: what is wanted is one task for each zone with a host and without a task, and
// everybody who sees the same wants the same.
func TestPlanWantsEachZoneOnceAndTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"a", "b", "c"})
		var hosts []client.ContainerInstance
		var tasks []client.Task
		open, busy := map[string]bool{}, map[string]bool{}
		for range rapid.IntRange(0, 6).Draw(t, "hosts") {
			z, connected := zone.Draw(t, "zone"), rapid.Bool().Draw(t, "connected")
			hosts = append(hosts, host(z, connected))
			open[z] = open[z] || connected
		}
		for i := range rapid.IntRange(0, 8).Draw(t, "tasks") {
			z, desired := zone.Draw(t, "zone"), rapid.SampledFrom([]string{"RUNNING", "STOPPED"}).Draw(t, "desired")
			tasks = append(tasks, task(fmt.Sprint(i), "z:"+z, desired, i))
			busy[z] = busy[z] || desired == "RUNNING"
		}
		starts := plan("z:", hosts, tasks)
		wanted := map[string]bool{}
		for _, s := range starts {
			require.False(t, wanted[s.Zone], "twice")
			wanted[s.Zone] = true
		}
		for _, z := range []string{"a", "b", "c"} {
			require.Equal(t, open[z] && !busy[z], wanted[z], z)
		}
		hosts, tasks = rapid.Permutation(hosts).Draw(t, "hosts again"), rapid.Permutation(tasks).Draw(t, "tasks again")
		require.ElementsMatch(t, starts, plan("z:", hosts, tasks))
	})
}

func TestAMirrorIsCompleteAfterItsBookmark(t *testing.T) {
	var m mirror[client.Task]
	say := func(kind client.WatchEventType, id string) {
		one := task(id, "z:a", "RUNNING", 0)
		m.apply(client.WatchEvent{Type: kind, ID: id}, &one)
	}
	say(client.WatchSnapshot, "")
	say(client.WatchUpdated, "a")
	say(client.WatchUpdated, "b")
	require.False(t, m.complete)
	say(client.WatchBookmark, "")
	say(client.WatchDeleted, "a")
	require.True(t, m.complete)
	require.Len(t, m.items, 1)
	say(client.WatchSnapshot, "")
	require.False(t, m.complete, "what the new snapshot does not tell is gone")
	require.Empty(t, m.items)
}
