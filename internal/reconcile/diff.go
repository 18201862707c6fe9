package reconcile

import (
	"slices"
	"time"

	"github.com/blox/blox/internal/state"
)

// Listing is what ECS answered about tasks or container instances of a cluster.
type Listing struct {
	// Listed has everything that a complete list named.
	Listed map[state.Key]bool
	// Seen are descriptions of some of it, or all.
	Seen []state.Observation
}

// Reason says how a record differs from what ECS holds.
type Reason string

// The reasons for a repair.
const (
	Missed  Reason = "missed"  // ECS has it and nothing is stored: its events were lost, or came before Blox did
	Stale   Reason = "stale"   // what is stored has a lower version
	Refresh Reason = "refresh" // the same version with other content: tags, attributes and health move without an event
	Absent  Reason = "absent"  // stored as living, and not in ECS's list
	// Resurrected: an earlier pass took it for gone, and it is alive.
	Resurrected Reason = "resurrected"
)

// Repair is one difference.
type Repair struct {
	Reason Reason
	Key    state.Key
	// Seen is what to store; for Absent there is none.
	Seen state.Observation
	// Stored is what is there, zero for Missed.
	Stored state.Record
}

// QuietFor is how long before the lists began a record must have been written
// last to count as absent. ECS is eventually consistent: a new task can be
// missing from its lists, and from what it describes, for minutes.
const QuietFor = 10 * time.Minute

// Diff compares what ECS answered with what is stored, and finds nothing where
// nothing drifted. Its repairs are sorted by key.
//
// A description that is older than the record is no drift: an event came
// meanwhile. An absent record is only a candidate until Describe says MISSING
// too.
func Diff(listing Listing, stored []state.Record, listedAt time.Time) []Repair {
	byKey := make(map[state.Key]state.Record, len(stored))
	var repairs []Repair
	for _, record := range stored {
		byKey[record.Key] = record
		if !listing.Listed[record.Key] && mayBeAbsent(record, listedAt) {
			repairs = append(repairs, Repair{Reason: Absent, Key: record.Key, Stored: record})
		}
	}
	for _, seen := range listing.Seen {
		record := byKey[seen.Key]
		reason, drifted := reasonOf(state.Compare(record, seen))
		if drifted {
			if record.Tombstone != nil && record.Tombstone.Inferred && !seen.Ended() {
				reason = Resurrected
			}
			repairs = append(repairs, Repair{Reason: reason, Key: seen.Key, Seen: seen, Stored: record})
		}
	}
	slices.SortStableFunc(repairs, func(a, b Repair) int { return a.Key.Compare(b.Key) })
	return repairs
}

func mayBeAbsent(record state.Record, listedAt time.Time) bool {
	return record.Tombstone == nil && record.StoredAt.Before(listedAt.Add(-QuietFor))
}

func reasonOf(outcome state.Outcome) (Reason, bool) {
	switch outcome {
	case state.New:
		return Missed, true
	case state.Newer:
		return Stale, true
	case state.Refresh:
		return Refresh, true
	default:
		return "", false
	}
}

// Absence counts the absent among the living records of one kind.
type Absence struct {
	Absent, Living int
}

// Beyond both of these, absences are too many to believe at once: the cause may
// as well be an ECS that answers wrongly, and what is marked absent is what the
// scheduler starts anew.
const (
	massAbsent  = 50
	massPercent = 20
	// agreePercent is how near the counts of two passes must be to agree.
	agreePercent = 80
	// agreeAfter is how much later the second one must begin: people may ask for
	// passes within seconds, and an ECS that answers wrongly does so for longer.
	agreeAfter = 2 * time.Minute
)

// Held is what a pass holds back.
type Held struct {
	Records int
	// Since is when the first of the passes began that found about as many.
	Since time.Time
}

// HoldBack decides whether absences are believed by a pass that began at a time.
// It gives how many are held back: all of a cluster or none, for an answer that is
// wrong about one kind is not to be trusted with the other. previous is what the
// pass before held back; when this one finds about as many, and not just after,
// both agree and nothing is held. Numbers are compared, not names: two wrong answers
// that lack as much count as agreeing, though it is not the same that they lack.
func HoldBack(previous Held, began time.Time, absences ...Absence) Held {
	total, mass := 0, false
	for _, a := range absences {
		total += a.Absent
		mass = mass || a.Absent > massAbsent && a.Absent*100 > a.Living*massPercent
	}
	agree := min(previous.Records, total)*100 >= max(previous.Records, total)*agreePercent
	switch {
	case !mass:
		return Held{}
	case !agree:
		return Held{Records: total, Since: began}
	case began.Sub(previous.Since) < agreeAfter:
		return Held{Records: total, Since: previous.Since}
	default:
		return Held{}
	}
}
