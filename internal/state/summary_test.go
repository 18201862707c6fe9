package state_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func taskOf(t require.TestingT, id, status, definition string, second int) state.Record {
	text := fmt.Sprintf(`{"version":1,"lastStatus":%q,"desiredStatus":"RUNNING"`, status)
	if definition != "" {
		text += fmt.Sprintf(`,"taskDefinitionArn":"%stask-definition/%s"`, prefix, definition)
	}
	r, _, err := state.Apply(state.Record{}, see(taskKey(id), state.SourceEvent, 1, second, text+"}"), noon, visibleFor)
	require.NoError(t, err)
	return r
}

func hostOf(t require.TestingT, id, detail string) state.Record {
	r, _, err := state.Apply(state.Record{}, see(instanceKey(id), state.SourceDescribed, 1, 0, detail), noon, visibleFor)
	require.NoError(t, err)
	return r
}

func TestSummary(t *testing.T) {
	tasks := []state.Record{
		taskOf(t, "1", "RUNNING", "web:7", 3), taskOf(t, "2", "RUNNING", "web:7", 1), taskOf(t, "3", "PENDING", "web:8", 2),
		taskOf(t, "4", "RUNNING", "agent:1", 0), taskOf(t, "5", "STOPPED", "agent:1", 9), taskOf(t, "6", "FROZEN", "", 0),
	}
	const registered = `"registeredResources":[{"name":"CPU","type":"INTEGER","integerValue":8192},
		{"name":"MEMORY","type":"INTEGER","integerValue":31450},{"name":"PORTS","type":"STRINGSET","stringSetValue":["22","80"]},
		{"name":"GPU","type":"STRINGSET","stringSetValue":["gpu-1","gpu-2"]},{"name":"BYTES","type":"LONG","longValue":9007199254740000},
		{"name":"SHARE","type":"DOUBLE","doubleValue":0.1}]`
	instances := []state.Record{
		hostOf(t, "1", `{"version":1,"status":"ACTIVE","agentConnected":true,"versionInfo":{"agentVersion":"1.103.0"},`+registered+`,
			"remainingResources":[{"name":"CPU","type":"INTEGER","integerValue":7104},{"name":"GPU","type":"STRINGSET","stringSetValue":["gpu-2"]}]}`),
		hostOf(t, "2", `{"version":1,"status":"DRAINING","agentConnected":false,"versionInfo":{"agentVersion":"1.102.0"},`+registered+`}`),
		hostOf(t, "3", `{"version":1,"status":"ACTIVE","agentConnected":true,"versionInfo":{"agentVersion":"1.103.0"},
			"registeredResources":[{"name":"SHARE","type":"DOUBLE","doubleValue":0.2},{"name":"CPU","type":"INTEGER"}]}`),
		hostOf(t, "4", `{"version":1,"status":"REGISTERING","agentConnected":false}`),
		hostOf(t, "5", `{"version":1,"status":"INACTIVE","agentConnected":false,`+registered+`}`),
	}
	want := state.Summary{
		CountedAt: noon, LastEventAt: noon.Add(9 * time.Second),
		Tasks: state.TaskSummary{
			Total:    5,
			ByStatus: []state.Count{{Name: "RUNNING", Count: 3}, {Name: "FROZEN", Count: 1}, {Name: "PENDING", Count: 1}},
			Families: []state.FamilyCount{
				{Family: "web", Count: 3, Revisions: []state.RevisionCount{{Revision: 7, Count: 2}, {Revision: 8, Count: 1}}},
				{Family: "", Count: 1, Revisions: []state.RevisionCount{{Revision: 0, Count: 1}}},
				{Family: "agent", Count: 1, Revisions: []state.RevisionCount{{Revision: 1, Count: 1}}},
			},
		},
		Instances: state.InstanceSummary{
			Total:             4,
			ByStatus:          []state.Count{{Name: "ACTIVE", Count: 2}, {Name: "DRAINING", Count: 1}, {Name: "REGISTERING", Count: 1}},
			ByAgentVersion:    []state.Count{{Name: "1.103.0", Count: 2}, {Name: "", Count: 1}, {Name: "1.102.0", Count: 1}},
			AgentDisconnected: 2,
			Resources: []state.ResourceSum{
				{Name: "BYTES", Registered: 1 << 53},
				{Name: "CPU", Registered: 16384, Remaining: 7104},
				{Name: "GPU", Registered: 4, Remaining: 1},
				{Name: "MEMORY", Registered: 62900},
				{Name: "SHARE", Registered: 0.4},
			},
		},
	}
	require.Equal(t, want, state.Summarize(tasks, instances, noon))

	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
		random.Shuffle(len(instances), func(i, j int) { instances[i], instances[j] = instances[j], instances[i] })
		require.Equal(t, want, state.Summarize(tasks, instances, noon), "the order of the records does not matter")
	}
}

func TestSummaryOfNothing(t *testing.T) {
	out, err := json.Marshal(state.Summarize(nil, nil, noon))
	require.NoError(t, err)
	require.JSONEq(t, `{"countedAt":"2026-11-20T12:00:00Z","tasks":{"total":0,"byStatus":[],"families":[]},
		"instances":{"total":0,"byStatus":[],"byAgentVersion":[],"agentDisconnected":0,"withOnlyDaemons":0,"resources":[]}}`, string(out))
}

func TestTheRevisionIsThatOfTheNewestVersion(t *testing.T) {
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		task := taskOf(t, "1", "RUNNING", "web:1", 0)
		task.Event.Version, task.Event.Detail = int64(order[0]), json.RawMessage(fmt.Sprintf(`{"taskDefinitionArn":"%stask-definition/web:%d"}`, prefix, order[0]))
		task.Described = told(int64(order[1]), fmt.Sprintf(`{"taskDefinitionArn":"%stask-definition/web:%d"}`, prefix, order[1]))
		require.Equal(t, []state.RevisionCount{{Revision: 2, Count: 1}}, state.Summarize([]state.Record{task}, nil, noon).Tasks.Families[0].Revisions)
	}
}

func TestSummaryIsBounded(t *testing.T) {
	long := func(n int) string { return fmt.Sprintf("%0*d", 255, n) }
	var tasks, instances []state.Record
	for family := range 130 {
		for revision := 1; revision <= 8; revision++ {
			tasks = append(tasks, taskOf(t, "1", long(revision), fmt.Sprintf("%s:%d", long(family), 1000000000+revision), 0))
		}
	}
	tasks = append(tasks, taskOf(t, "1", long(1), long(129)+":1000000001", 0)) // one more than the others have
	for n := range 80 {
		instances = append(instances, hostOf(t, "1", fmt.Sprintf(`{"status":%q,"versionInfo":{"agentVersion":%q},"registeredResources":[
			{"name":%q,"type":"LONG","longValue":%d}]}`, long(n), long(n), long(n), int64(math.MaxInt64))))
	}
	instances = append(instances, hostOf(t, "1", fmt.Sprintf(`{"status":%q,"versionInfo":{"agentVersion":%q}}`, long(0)+"x", strings.Repeat("x", 300000))))
	got := state.Summarize(tasks, instances, noon)

	require.Len(t, got.Tasks.Families, 100)
	require.Equal(t, 1+130*8, got.Tasks.Total)
	require.Equal(t, 30*8, got.Tasks.OtherFamilies)
	require.Equal(t, long(129), got.Tasks.Families[0].Family, "most first")
	require.Equal(t, long(0), got.Tasks.Families[1].Family, "then by name")
	require.Len(t, got.Tasks.Families[0].Revisions, 5)
	require.Equal(t, 3, got.Tasks.Families[0].OtherRevisions)
	require.Equal(t, []state.RevisionCount{{1000000008, 1}, {1000000007, 1}}, got.Tasks.Families[1].Revisions[:2], "of equals the newest")
	require.Len(t, got.Instances.ByAgentVersion, 50)
	require.Equal(t, 31, got.Instances.OtherAgentVersions)
	require.Len(t, got.Instances.ByStatus, 21)
	require.Equal(t, state.Count{Name: "other", Count: 61}, got.Instances.ByStatus[20])
	require.Len(t, got.Instances.Resources, 20)
	require.Equal(t, 60, got.Instances.OtherResources)
	require.True(t, slices.IsSortedFunc(got.Instances.Resources, func(a, b state.ResourceSum) int { return strings.Compare(a.Name, b.Name) }))

	out, err := json.Marshal(got)
	require.NoError(t, err)
	t.Logf("%d bytes at the bound", len(out))
	require.Less(t, len(out), 80_000)
}

// DynamoDB takes no number beyond 10^125 and none nearer to zero than 10^-130,
// JSON no infinite one.
func TestSumsStayStorableWhateverHostsTell(t *testing.T) {
	host := func(value string) state.Record {
		return hostOf(t, "1", `{"status":"ACTIVE","registeredResources":[{"name":"X","type":"DOUBLE","doubleValue":`+value+`}]}`)
	}
	for sum, values := range map[float64][]string{
		1 << 53:    {"1.7e308", "1.7e308"},
		-(1 << 53): {"-1.7e308"},
		0:          {"1e-300", "-1e-300"},
		1.235:      {"1.2345"},
	} {
		var instances []state.Record
		for _, value := range values {
			instances = append(instances, host(value))
		}
		require.Equal(t, []state.ResourceSum{{Name: "X", Registered: sum}}, state.Summarize(nil, instances, noon).Instances.Resources)
	}
}

func BenchmarkSummarize(b *testing.B) {
	tasks := slices.Repeat([]state.Record{taskRecord(b, taskDetail)}, 25_000)
	instances := slices.Repeat([]state.Record{hostRecord(b, hostDetail)}, 5_000)
	b.ReportAllocs()
	for b.Loop() {
		if got := state.Summarize(tasks, instances, noon); got.Tasks.Total != 25_000 {
			b.Fatal(got.Tasks.Total)
		}
	}
}
