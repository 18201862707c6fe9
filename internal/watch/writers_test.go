package watch_test

import (
	"context"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

// life are a task's lastStatus and desiredStatus, in the order that ECS goes through them; some may be left out.
var life = []struct{ last, desired string }{
	{"PROVISIONING", "RUNNING"}, {"PENDING", "RUNNING"}, {"RUNNING", "RUNNING"}, {"RUNNING", "STOPPED"}, {"STOPPED", "STOPPED"},
}

// writers are all that change the table meanwhile. What a task is of never changes; its statuses do.
type writers struct {
	*world
	t     *rapid.T
	phase map[string]int
	// budget bounds what is written in one run.
	budget int
}

func (w *writers) some() {
	if w.budget <= 0 {
		return
	}
	for range rapid.IntRange(0, 2).Draw(w.t, "writes") {
		w.budget--
		w.one()
	}
}

func (w *writers) one() {
	n := rapid.IntRange(0, 5).Draw(w.t, "task")
	key := state.Key{Kind: state.KindTask, Cluster: cluster([]string{"edge", "core"}[n%2]), ID: id(n)}
	switch pick(w.t, "write", "event", "event", "event", "event", "dispatch", "dispatch", "refresh", "absent", "repeat", "settle", "time", "expire", "instance") {
	case "event":
		w.live(n, key.Cluster.Name)
	case "dispatch":
		w.dispatch(rapid.IntRange(1, 6).Draw(w.t, "records"))
	case "refresh":
		w.refresh(key)
	case "absent":
		w.absent(key)
	case "repeat":
		if len(w.stream) > 0 {
			w.append(w.stream[0]) // delivered twice
		}
	case "settle":
		w.db.SettleIndexes()
	case "time":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(w.t, "seconds")) * time.Second)
	case "expire":
		w.db.ExpireItems(w.now)
	case "instance":
		w.version[id(100+n)]++
		w.put(eventtest.ContainerInstance(eventtest.ID(id(100+n)), eventtest.Version(w.version[id(100+n)])))
	}
}

// live brings a task further in its life, or makes it.
func (w *writers) live(n int, clusterName string) {
	phase := w.phase[id(n)]
	if phase >= len(life) {
		return
	}
	w.phase[id(n)] = phase + rapid.IntRange(1, 2).Draw(w.t, "steps")
	w.task(id(n), life[phase].last, append(w.detail(n, phase), eventtest.DesiredStatus(life[phase].desired), eventtest.Cluster(clusterName))...)
}

// further brings a task further in its life that is known.
func (w *writers) further(key state.Key) {
	for n := range 6 {
		if id(n) == key.ID {
			w.live(n, key.Cluster.Name)
		}
	}
}

// detail is what a task of that number has in a phase: some of it for life, some of it sooner or later, or for a while.
func (w *writers) detail(n, phase int) []eventtest.Option {
	container := map[string]any{"name": "main", "image": []string{"registry/app:1.4", "registry/db@sha256:0f5d"}[n%2]}
	if phase >= 2 && phase < 4 {
		container["networkInterfaces"] = []any{map[string]any{"privateIpv4Address": []string{"10.0.0.1", "10.0.0.2"}[n%2]}}
	}
	options := []eventtest.Option{
		eventtest.StartedBy([]string{"ops", "web", "ops"}[n%3]), eventtest.Group([]string{"service:a", "service:b"}[n%2]),
		eventtest.TaskDefinition([]string{"log-agent:12", "log-agent:13", "web:3"}[n%3]),
		eventtest.Field("healthStatus", pick(w.t, "health", "UNKNOWN", "HEALTHY", "UNHEALTHY")),
		eventtest.Field("containers", []any{container}),
	}
	if n%2 == 0 && phase > 0 {
		options = append(options, eventtest.Field("capacityProviderName", "spot"))
	}
	if phase == 0 {
		options = append(options, eventtest.OnContainerInstance(""), eventtest.WithoutField("availabilityZone"))
	}
	return options
}

// refresh is a Describe that finds new tags without a new version.
func (w *writers) refresh(key state.Key) {
	records, err := w.state.GetMany(context.Background(), []state.Key{key}, true)
	require.NoError(w.t, err)
	for _, r := range records {
		if r.Event == nil {
			continue
		}
		detail := strings.TrimSuffix(string(r.Event.Detail), "}") + `,"tags":[{"key":"at","value":"` + w.now.String() + `"}]}`
		w.observe(state.Observation{Key: key, ARN: r.ARN, Version: r.Event.Version, Source: state.SourceDescribed, ObservedAt: w.now, Detail: []byte(detail)})
	}
}

// newWriters draws how late reads are that are not consistent.
func newWriters(t *rapid.T) *writers {
	w := &writers{world: newWorld(t), t: t, phase: map[string]int{}, budget: 60}
	readLag := pick(t, "read lag", 0, memory.UntilSettled)
	w.readLag = func() time.Duration { return readLag }
	return w
}

// drawFilter draws a filter, often one that picks something.
func drawFilter(t *rapid.T) state.TaskFilter {
	return state.TaskFilter{
		Cluster:           pick(t, "cluster", state.ClusterKey{}, cluster("edge")),
		LastStatus:        seldom(t, "lastStatus", "RUNNING", "STOPPED", "PENDING"),
		DesiredStatus:     seldom(t, "desiredStatus", "RUNNING", "STOPPED"),
		StartedBy:         seldom(t, "startedBy", "ops"),
		Group:             seldom(t, "group", "service:a"),
		Service:           seldom(t, "service", "b"),
		TaskDefinition:    seldom(t, "taskDefinition", "log-agent", "log-agent:12", "web:3"),
		ContainerInstance: seldom(t, "containerInstance", eventtest.DefaultInstanceID),
		LaunchType:        seldom(t, "launchType", "EC2", "FARGATE"),
		HealthStatus:      seldom(t, "healthStatus", "HEALTHY", "UNHEALTHY"),
		StopCode:          seldom(t, "stopCode", "UserInitiated"),
		AvailabilityZone:  seldom(t, "availabilityZone", eventtest.DefaultRegion+"b"),
		CapacityProvider:  seldom(t, "capacityProvider", "spot"),
		Image:             seldom(t, "image", "registry/app"),
		PrivateIP:         seldom(t, "privateIp", "10.0.0.1"),
		StartedSince:      seldom(t, "startedSince", start.Add(-time.Minute), start.Add(time.Minute)),
		StartedUntil:      seldom(t, "startedUntil", start.Add(time.Hour)),
		StoppedSince:      seldom(t, "stoppedSince", start, start.Add(time.Minute)),
		StoppedUntil:      seldom(t, "stoppedUntil", start.Add(time.Hour)),
		Search:            seldom(t, "q", "app", "10.0.0. ops", "stopped by user"),
	}
}

// seldom draws a value of a filter's field, most often none: all together would pick nothing.
func seldom[T any](t *rapid.T, name string, of ...T) T {
	var none T
	for range 20 * len(of) {
		of = append(of, none)
	}
	return pick(t, name, of...)
}
