package table_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// recorded are what the payloads of package event say whose names match the pattern.
func recorded(t testing.TB, pattern string) []state.Observation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "event", "testdata", pattern+".json"))
	require.NoError(t, err)
	var all []state.Observation
	for _, file := range files {
		if strings.HasSuffix(file, ".parsed.json") {
			continue
		}
		raw, err := os.ReadFile(file) //nolint:gosec // the repository's own testdata
		require.NoError(t, err)
		e, err := event.Parse(raw)
		require.NoError(t, err)
		if e.Observation != nil {
			all = append(all, *e.Observation)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// counted is a STATE table in memory that counts units.
func counted(t testing.TB) (*memory.DB, *table.State) {
	t.Helper()
	db := memory.New()
	require.NoError(t, table.Create(context.Background(), db, "blox", schema.State))
	return db, newState(db, "blox")
}

// life are five events of one task, from its beginning to its end, as ECS sends them for bridge networking.
func life(t testing.TB) []state.Observation {
	t.Helper()
	var events []state.Observation
	for _, status := range []string{"provisioning", "pending", "activating", "running", "stopped"} {
		events = append(events, recorded(t, "task-bridge-"+status)...)
	}
	require.Len(t, events, 5)
	for i, seen := range events {
		// The payloads are of one task each, on a host each.
		task, err := state.DecodeTask(seen.Detail)
		require.NoError(t, err)
		seen.Detail = bytes.ReplaceAll(seen.Detail, []byte(task.ContainerInstanceID()), []byte(id(900)))
		events[i] = of(seen, id(1))
	}
	return events
}

// of is the observation made one of another task.
func of(seen state.Observation, taskID string) state.Observation {
	seen.ID = taskID
	seen.ARN = arnOf(seen.Key, false)
	return seen
}

// cost is what putting observations consumes, by index; the table's own stands under an empty name.
func cost(t testing.TB, db *memory.DB, s *table.State, seen ...state.Observation) map[string]float64 {
	t.Helper()
	db.ResetConsumed()
	for _, o := range seen {
		_, err := s.Put(context.Background(), o, start)
		require.NoError(t, err)
	}
	units := map[string]float64{}
	for target, capacity := range db.Consumed().ByIndex {
		require.Zero(t, capacity.Read, "Put reads nothing")
		units[target.Index] = capacity.Write
	}
	return units
}

func total(units map[string]float64) float64 {
	var sum float64
	for _, n := range units {
		sum += n
	}
	return sum
}

// What a write costs is part of the design: a new index or a fatter item shows here first.
func TestWriteUnits(t *testing.T) {
	db, s := counted(t)
	events := life(t)
	pending, running, stopped := events[1], events[3], events[4]
	again := described(t, running, after(1), "a")

	require.Equal(t, map[string]float64{"": 1, schema.ByPhase: 1, schema.ByInstance: 1, schema.ByStartedBy: 1, schema.ByGroup: 1},
		cost(t, db, s, pending), "new")
	require.Equal(t, map[string]float64{"": 1, schema.ByPhase: 2}, cost(t, db, s, running), "another phase")
	require.Equal(t, map[string]float64{"": 1}, cost(t, db, s, running), "duplicate: a refused write is paid for")
	require.Equal(t, map[string]float64{"": 1}, cost(t, db, s, pending), "stale")
	require.Equal(t, map[string]float64{"": 1 + 2}, cost(t, db, s, again), "refresh: refused first, then written with both sources")
	require.Equal(t, map[string]float64{"": 2, schema.ByPhase: 2, schema.ByInstance: 2, schema.ByStartedBy: 2, schema.ByGroup: 2}, cost(t, db, s, stopped), "stopped")

	db, s = counted(t)
	life := cost(t, db, s, events...)
	require.Equal(t, map[string]float64{"": 5, schema.ByPhase: 5, schema.ByInstance: 3, schema.ByStartedBy: 3, schema.ByGroup: 3},
		life, "a task's life of five events")
	require.LessOrEqual(t, total(life), 20.0)
}

// sizes are the bytes of the records of what was seen, by DynamoDB's rules, sorted.
func sizes(t testing.TB, seen []state.Observation) []int {
	t.Helper()
	var sizes []int
	for _, o := range seen {
		db, s := counted(t)
		_, err := s.Put(context.Background(), o, start)
		require.NoError(t, err)
		sizes = append(sizes, attr.ItemSize(raw(t, db, "blox", o.Key)))
	}
	slices.Sort(sizes)
	return sizes
}

func TestAMedianRecordIsOneWriteUnit(t *testing.T) {
	tasks := sizes(t, recorded(t, "task-*running"))
	require.LessOrEqual(t, tasks[len(tasks)/2], 1024, "of %d", tasks)
	for _, size := range append(tasks, sizes(t, recorded(t, "instance-*active"))...) {
		require.LessOrEqual(t, size, 2048)
	}
}

func BenchmarkPut(b *testing.B) {
	events := life(b)
	pending, running := events[1], events[3]
	cases := []struct {
		name   string
		before []state.Observation
		seen   state.Observation
	}{
		{"new", nil, running},
		{"newer", []state.Observation{pending}, running},
		{"duplicate", []state.Observation{running}, running},
		{"stale", []state.Observation{running}, pending},
		{"refresh", []state.Observation{running}, described(b, running, after(1), "a")},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			db, s := counted(b)
			var units float64
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				for _, o := range c.before {
					_ = cost(b, db, s, of(o, id(n)))
				}
				b.StartTimer()
				units += total(cost(b, db, s, of(c.seen, id(n))))
			}
			b.ReportMetric(units/float64(b.N), "WCU/op")
		})
	}
}

func BenchmarkTaskLife(b *testing.B) {
	db, s := counted(b)
	events := life(b)
	var units float64
	for n := 0; b.Loop(); n++ {
		for _, o := range events {
			units += total(cost(b, db, s, of(o, id(n))))
		}
	}
	b.ReportMetric(units/float64(b.N), "WCU/life")
}

func BenchmarkRecordBytes(b *testing.B) {
	var bytes []int
	for b.Loop() {
		bytes = sizes(b, recorded(b, "task-*running"))
	}
	b.ReportMetric(float64(bytes[len(bytes)/2]), "B/median-running-task")
}
