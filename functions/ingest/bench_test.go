package ingest

import (
	"fmt"
	"testing"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
)

// BenchmarkEvent stores single events, by what becomes of them, and reports the
// DynamoDB units that each costs: what an event costs is what Blox costs.
func BenchmarkEvent(b *testing.B) {
	for _, c := range []struct {
		name          string
		before, event []byte
	}{
		{"new", nil, eventtest.Task(eventtest.LastStatus("PENDING"))},
		{"newer-same-status", eventtest.Task(), eventtest.Task(eventtest.Version(2))},
		{"newer-other-status", eventtest.Task(eventtest.LastStatus("PENDING")), eventtest.Task(eventtest.Version(2))},
		{"newer-stopped", eventtest.Task(), eventtest.Task(eventtest.Version(2), eventtest.LastStatus("STOPPED"))},
		{"duplicate", eventtest.Task(), eventtest.Task()},
		{"stale", eventtest.Task(eventtest.Version(2)), eventtest.Task()},
		{"instance-newer", eventtest.ContainerInstance(), eventtest.ContainerInstance(eventtest.Version(2))},
	} {
		b.Run(c.name, func(b *testing.B) {
			var read, write float64
			var calls int
			for i := range b.N {
				b.StopTimer()
				db := &countingDB{API: memory.New()}
				f := newFunction(b, db, fmt.Sprint("state", i))
				f.send(b, eventtest.Task(eventtest.ID("other"))) // the cluster is known
				if c.before != nil {
					f.send(b, c.before)
				}
				memoryDB := db.API.(*memory.DB)
				memoryDB.ResetConsumed()
				db.calls = 0
				b.StartTimer()
				f.send(b, c.event)
				b.StopTimer()
				consumed := memoryDB.Consumed()
				read, write, calls = read+consumed.Read, write+consumed.Write, calls+db.calls
				b.StartTimer()
			}
			b.ReportMetric(read/float64(b.N), "RRU/event")
			b.ReportMetric(write/float64(b.N), "WRU/event")
			b.ReportMetric(float64(calls)/float64(b.N), "calls/event")
		})
	}
}
