package memory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestPartitionIsASortedMap compares partitions with a plain sorted list, with
// enough entries for chunks to split and to become empty.
func TestPartitionIsASortedMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := partitions{}
		want := map[position]*record{}
		draw := func(label string) position {
			return position{sort: fmt.Sprintf("%03d", rapid.IntRange(0, 400).Draw(t, label)), base: key{hash: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, label+" base")}}
		}
		for range rapid.IntRange(0, 8).Draw(t, "blocks") {
			from, count := rapid.IntRange(0, 400).Draw(t, "from"), rapid.IntRange(1, 200).Draw(t, "count")
			removing := rapid.Bool().Draw(t, "removing")
			base := key{hash: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "base")}
			for i := range count {
				at := position{sort: fmt.Sprintf("%03d", (from+i*7)%401), base: base}
				if removing {
					ps.remove("h", at)
					delete(want, at)
				} else {
					r := &record{size: i}
					ps.put("h", entry{position: at, record: r})
					want[at] = r
				}
			}
		}
		sorted := make([]position, 0, len(want))
		for at := range want {
			sorted = append(sorted, at)
		}
		slices.SortFunc(sorted, position.compare)

		b := bounds{low: draw("low").sort, lowOpen: rapid.Bool().Draw(t, "open below"), highOpen: rapid.Bool().Draw(t, "open above")}
		switch rapid.SampledFrom([]string{"high", "prefix", "open"}).Draw(t, "bound") {
		case "high":
			high := draw("high").sort
			b.high = &high
		case "prefix":
			b.low, b.lowOpen, b.prefix = b.low[:rapid.IntRange(0, 3).Draw(t, "prefix length")], false, true
		}
		backward := rapid.Bool().Draw(t, "backward")
		var start *position
		if rapid.Bool().Draw(t, "started") {
			at := draw("start")
			start = &at
		}
		inside := slices.DeleteFunc(sorted, func(at position) bool {
			passed := start != nil && (at.compare(*start) <= 0 && !backward || at.compare(*start) >= 0 && backward)
			return b.below(at.sort) || b.above(at.sort) || passed
		})
		if backward {
			slices.Reverse(inside)
		}
		inside = inside[:min(len(inside), 300)]
		got := []position{}
		ps.read("h", b, start, backward, func(e entry) bool {
			require.Same(t, want[e.position], e.record)
			require.Same(t, e.record, ps.get("h", e.position))
			got = append(got, e.position)
			return len(got) < 300
		})
		require.Equal(t, append([]position{}, inside...), got)
		require.Nil(t, ps.get("h", position{sort: "absent"}))
		require.Equal(t, len(want) == 0, ps["h"] == nil, "an empty partition is dropped")
	})
}
