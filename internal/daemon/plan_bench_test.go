package daemon

import (
	"fmt"
	"testing"
)

// BenchmarkPlan plans a rollout over a whole fleet, half of it updated.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{500, 5000, 50000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			s := fleet(n)
			b.ReportAllocs()
			for b.Loop() {
				Plan(s, t0)
			}
		})
	}
}

// fleet is with(), built in one go.
func fleet(n int) Snapshot {
	s := fixture()
	s.Hosts = make([]Host, 0, n)
	for i := range n {
		one := fixture().with(i, running(1+i%2))
		one.Slots[0].TaskARN, one.Tasks[0].ARN = taskARN(i, 1+i%2), taskARN(i, 1+i%2)
		s.Hosts = append(s.Hosts, one.Hosts...)
		s.Slots = append(s.Slots, one.Slots...)
		s.Tasks = append(s.Tasks, one.Tasks...)
	}
	return s
}
