package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// seedsOfTest are run by `go test`; `make sim` runs 200 and demands that they meet all of MustMeet.
const seedsOfTest = 6

// A few runs keep every invariant, and meet what most runs meet.
func TestInvariantsHold(t *testing.T) {
	t.Parallel()
	met := map[string]int{}
	for seed := range uint64(seedsOfTest) {
		r := Run(seed+1, Options{Tail: 60})
		if v := r.Violation; v != nil {
			t.Fatalf("%s\nseed %d: invariant %d: %s\ngo run ./internal/sim/cmd/sim -first %d -seeds 1 -trace", r.Tail, r.Seed, v.Invariant, v.What, r.Seed)
		}
		for what, n := range r.Met {
			met[what] += n
		}
	}
	for _, what := range []string{
		"action start", "action stop", "action forget", "daemon stopped by us: replaced by", "conflict on lease",
		"operator: deployment overtaken", "environment removed", "event delivered after a newer one", "sweep completed",
		"watch: snapshot", "watch: ended at the state of a fresh list", "query: list",
	} {
		require.Contains(t, MustMeet, what)
		require.Positive(t, met[what], what)
	}
}

func TestNotMetNamesWhatIsMissing(t *testing.T) {
	met := map[string]int{}
	require.Equal(t, MustMeet, NotMet(met))
	for _, what := range MustMeet[1:] {
		met[what] = 1
	}
	require.Equal(t, MustMeet[:1], NotMet(met))
}

// manySided are seeds that together have every feature.
var manySided = []uint64{55, 113}

func TestManySidedSeedsHaveEveryFeature(t *testing.T) {
	var all features
	for _, seed := range manySided {
		f := newWorld(seed, Options{}).f
		all.readers, all.crowd = max(all.readers, f.readers), max(all.crowd, f.crowd)
		all.queries, all.feedDeath, all.twins = max(all.queries, f.queries), max(all.feedDeath, f.feedDeath), max(all.twins, f.twins)
		all.member, all.outlives = all.member || f.member, all.outlives || f.outlives
	}
	require.Positive(t, all.readers)
	require.Positive(t, all.queries)
	require.Positive(t, all.crowd)
	require.Positive(t, all.feedDeath)
	require.Positive(t, all.twins)
	require.True(t, all.member)
	require.True(t, all.outlives)
}

// Two runs of a seed are the same, line by line; two seeds are not.
func TestSameSeedSameRun(t *testing.T) {
	t.Parallel()
	trace := func(seed uint64) (lines []string, r Result) {
		r = Run(seed, Options{Trace: func(line string) { lines = append(lines, line) }})
		return lines, r
	}
	hashes := map[uint64]bool{}
	for _, seed := range manySided {
		first, one := trace(seed)
		second, two := trace(seed)
		for i := range min(len(first), len(second)) {
			require.Equal(t, first[i], second[i], "seed %d, line %d", seed, i)
		}
		require.Equal(t, one, two)
		require.Greater(t, len(first), 1000)
		hashes[one.Hash] = true
	}
	require.Len(t, hashes, 2)
}
