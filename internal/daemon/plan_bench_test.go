package daemon

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// fleets are the sizes that Plan is measured at; it is to be linear in them.
var fleets = []int{500, 5000, 50000}

// BenchmarkPlan plans a rollout over a whole fleet, half of it updated.
func BenchmarkPlan(b *testing.B) {
	for _, n := range fleets {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) { planning(b, fleet(n)) })
	}
}

// BenchmarkPlanIdle plans for a fleet that has what it is to have, and whose slots know it.
func BenchmarkPlanIdle(b *testing.B) {
	for _, n := range fleets {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			w := newImagination(fleetOf(n, func(int) int { return 2 }))
			w.apply(Plan(w.snapshot(), t0), t0)
			s := w.snapshot()
			slices.SortFunc(s.Hosts, func(a, b Host) int { return CompareHosts(a.Key, b.Key) })
			slices.SortFunc(s.Slots, func(a, b Slot) int { return CompareHosts(a.Host, b.Host) })
			require.Empty(b, brief(Plan(s, t0)), "there is something to do")
			planning(b, s)
		})
	}
}

func planning(b *testing.B, s Snapshot) {
	b.ReportAllocs()
	for b.Loop() {
		Plan(s, t0)
	}
}

func BenchmarkExplain(b *testing.B) {
	s := fleet(5000)
	b.ReportAllocs()
	for b.Loop() {
		Explain(s, t0)
	}
}

// fleet is a fleet every other host of which is updated.
func fleet(n int) Snapshot { return fleetOf(n, func(i int) int { return 1 + i%2 }) }

// fleetOf is with(), built in one go; revision is what the host of that number runs.
func fleetOf(n int, revision func(host int) int) Snapshot {
	s := fixture()
	s.Hosts = make([]Host, 0, n)
	for i := range n {
		one := fixture().with(i, running(revision(i)))
		one.Slots[0].TaskARN, one.Tasks[0].ARN = taskARN(i, revision(i)), taskARN(i, revision(i))
		s.Hosts = append(s.Hosts, one.Hosts...)
		s.Slots = append(s.Slots, one.Slots...)
		s.Tasks = append(s.Tasks, one.Tasks...)
	}
	return s
}
