package reconcile

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

var (
	edge = state.ClusterKey{Account: "123456789012", Region: "us-east-1", Name: "edge"}
	// It lies ahead: by its own clock AWS's engine deletes what has expired, now and then.
	listedAt = time.Date(2126, 11, 20, 9, 0, 0, 0, time.UTC)
)

func key(id string) state.Key { return state.Key{Kind: state.KindTask, Cluster: edge, ID: id} }

// seenAt is a description of a task.
func seenAt(id string, version int64, status string, at time.Time) state.Observation {
	return state.Observation{
		Key: key(id), ARN: "arn:aws:ecs:us-east-1:123456789012:task/edge/" + id, Version: version, Source: state.SourceDescribed, ObservedAt: at,
		Detail: fmt.Appendf(nil, `{"lastStatus":%q,"desiredStatus":"RUNNING","version":%d}`, status, version),
	}
}

// record is a stored task; its event was written long ago.
func record(t require.TestingT, id string, version int64, status string) state.Record {
	seen := seenAt(id, version, status, listedAt.Add(-time.Hour))
	seen.Source = state.SourceEvent
	stored, _, err := state.Apply(state.Record{}, seen, listedAt.Add(-time.Hour), state.DefaultVisibleFor)
	require.NoError(t, err)
	return stored
}

func listingOf(seen ...state.Observation) Listing {
	listing := Listing{Listed: map[state.Key]bool{}, Seen: seen}
	for _, observation := range seen {
		listing.Listed[observation.Key] = true
	}
	return listing
}

func TestDiff(t *testing.T) {
	justWritten := record(t, "a", 3, "RUNNING")
	justWritten.StoredAt = listedAt.Add(-QuietFor)
	inferred := state.InferGone(record(t, "a", 3, "RUNNING"), listedAt, state.DefaultVisibleFor)
	tagged := seenAt("a", 3, "RUNNING", listedAt)
	tagged.Detail = []byte(`{"lastStatus":"RUNNING","desiredStatus":"RUNNING","version":3,"tags":[{"key":"ring","value":"canary"}]}`)

	for _, c := range []struct {
		name    string
		listing Listing
		stored  []state.Record
		want    Reason
	}{
		{"both the same", listingOf(seenAt("a", 3, "RUNNING", listedAt)), []state.Record{record(t, "a", 3, "RUNNING")}, ""},
		{"nothing anywhere", Listing{}, nil, ""},
		{"not stored", listingOf(seenAt("a", 3, "RUNNING", listedAt)), nil, Missed},
		{"stored with a lower version", listingOf(seenAt("a", 3, "RUNNING", listedAt)), []state.Record{record(t, "a", 2, "PENDING")}, Stale},
		{"an event came meanwhile", listingOf(seenAt("a", 3, "RUNNING", listedAt)), []state.Record{record(t, "a", 4, "RUNNING")}, ""},
		{"tags moved", listingOf(tagged), []state.Record{record(t, "a", 3, "RUNNING")}, Refresh},
		{"not listed", Listing{}, []state.Record{record(t, "a", 3, "RUNNING")}, Absent},
		{"not listed, but too new for ECS's lists", Listing{}, []state.Record{justWritten}, ""},
		{"not listed, and stopped", Listing{}, []state.Record{record(t, "a", 3, "STOPPED")}, ""},
		{"not listed, and marked absent before", Listing{}, []state.Record{inferred}, ""},
		{"marked absent and back", listingOf(seenAt("a", 4, "RUNNING", listedAt)), []state.Record{inferred}, Resurrected},
		{"marked absent, and stopped by itself", listingOf(seenAt("a", 4, "STOPPED", listedAt)), []state.Record{inferred}, Stale},
		{"marked absent, and nothing happened to it", listingOf(seenAt("a", 3, "RUNNING", listedAt.Add(time.Second))), []state.Record{inferred}, Resurrected},
		{"marked absent and seen in an old answer", listingOf(seenAt("a", 3, "RUNNING", listedAt)), []state.Record{inferred}, ""},
		{"stopped and described as running", listingOf(seenAt("a", 4, "RUNNING", listedAt)), []state.Record{record(t, "a", 3, "STOPPED")}, ""},
		{"listed, and not described in this batch", Listing{Listed: map[state.Key]bool{key("a"): true}}, []state.Record{record(t, "a", 3, "RUNNING")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			repairs := Diff(c.listing, c.stored, listedAt)
			if c.want == "" {
				require.Empty(t, repairs)
				return
			}
			require.Len(t, repairs, 1)
			require.Equal(t, c.want, repairs[0].Reason)
			require.Equal(t, key("a"), repairs[0].Key)
			if c.want == Absent {
				require.Equal(t, c.stored[0], repairs[0].Stored)
			} else {
				require.Equal(t, c.listing.Seen[0], repairs[0].Seen)
			}
		})
	}
}

// However the table drifted, applying the repairs leaves nothing to repair, and
// the result does not depend on the order of the answers.
func TestRepairsRepair(t *testing.T) {
	statuses := []string{"PENDING", "RUNNING", "STOPPED"}
	rapid.Check(t, func(t *rapid.T) {
		var seen []state.Observation
		var stored []state.Record
		for i := range rapid.IntRange(0, 12).Draw(t, "tasks") {
			id := fmt.Sprintf("%02d", i)
			if rapid.Bool().Draw(t, "in ECS") {
				seen = append(seen, seenAt(id, rapid.Int64Range(1, 4).Draw(t, "version"), rapid.SampledFrom(statuses).Draw(t, "status"), listedAt))
			}
			if rapid.Bool().Draw(t, "stored") {
				stored = append(stored, record(t, id, rapid.Int64Range(1, 4).Draw(t, "stored version"), rapid.SampledFrom(statuses).Draw(t, "stored status")))
			}
		}
		repairs := Diff(listingOf(seen...), stored, listedAt)
		require.Equal(t, repairs, Diff(listingOf(rapid.Permutation(seen).Draw(t, "seen")...), rapid.Permutation(stored).Draw(t, "records"), listedAt))

		after := map[state.Key]state.Record{}
		for _, r := range stored {
			after[r.Key] = r
		}
		for _, repair := range repairs {
			if repair.Reason == Absent {
				after[repair.Key] = state.InferGone(repair.Stored, listedAt, state.DefaultVisibleFor)
				continue
			}
			next, outcome, err := state.Apply(after[repair.Key], repair.Seen, listedAt, state.DefaultVisibleFor)
			require.NoError(t, err)
			require.True(t, outcome.Written(), "a repair that writes nothing is none")
			after[repair.Key] = next
		}
		var repaired []state.Record
		for _, r := range after {
			repaired = append(repaired, r)
		}
		require.Empty(t, Diff(listingOf(seen...), repaired, listedAt))
	})
}

func TestHoldBack(t *testing.T) {
	for _, c := range []struct {
		name             string
		previous         int
		tasks, instances Absence
		want             int
	}{
		{"nothing absent", 0, Absence{0, 1000}, Absence{0, 100}, 0},
		{"many, but a small part", 0, Absence{200, 1000}, Absence{0, 100}, 0},
		{"a large part, but few", 0, Absence{50, 50}, Absence{0, 0}, 0},
		{"many and a large part", 0, Absence{201, 1000}, Absence{0, 100}, 201},
		{"the least that is held", 0, Absence{51, 51}, Absence{0, 0}, 51},
		{"one kind is enough for both", 0, Absence{3, 1000}, Absence{60, 100}, 63},
		{"a second pass agrees", 201, Absence{201, 1000}, Absence{0, 100}, 0},
		{"a second pass finds about as many", 200, Absence{250, 1000}, Absence{0, 100}, 0},
		{"a second pass finds many more", 200, Absence{251, 1000}, Absence{0, 100}, 251},
		{"a second pass finds many fewer", 1000, Absence{300, 1000}, Absence{0, 100}, 300},
		{"a second pass finds few", 1000, Absence{30, 1000}, Absence{0, 100}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := listedAt.Add(-agreeAfter)
			want := Held{}
			if c.want > 0 {
				want = Held{Records: c.want, Since: listedAt}
			}
			require.Equal(t, want, HoldBack(Held{Records: c.previous, Since: first}, listedAt, c.tasks, c.instances))
		})
	}
}

// Who asks for passes within seconds has not asked twice.
func TestASecondPassJustAfterIsNoSecondOpinion(t *testing.T) {
	all := Absence{60, 60}
	held := HoldBack(Held{}, listedAt, all)
	require.Equal(t, Held{Records: 60, Since: listedAt}, held)
	held = HoldBack(held, listedAt.Add(agreeAfter-time.Second), all)
	require.Equal(t, Held{Records: 60, Since: listedAt}, held, "the first opinion counts from when it was")
	require.Zero(t, HoldBack(held, listedAt.Add(agreeAfter), all))
}
