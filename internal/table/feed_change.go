package table

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/blox/blox/internal/state"
)

// Reason says what became of a task or container instance.
type Reason string

// The reasons of a change.
const (
	// ReasonWritten: it is new, or there is something new about it.
	ReasonWritten Reason = "written"
	// ReasonStopped: ECS said that the task has stopped.
	ReasonStopped Reason = "stopped"
	// ReasonGone: the container instance left its cluster, or reconcile found that ECS does not know the task or
	// container instance any more.
	ReasonGone Reason = "gone"
	// ReasonExpired: its record was deleted, long after its end.
	ReasonExpired Reason = "expired"
)

var reasons = []Reason{ReasonExpired, ReasonGone, ReasonStopped, ReasonWritten}

// Change says that a record changed, and to which version. What it is now is read from the STATE table: a row of
// details would be read by nobody who comes late, for the record is newer by then.
type Change struct {
	Key     state.Key
	Version int64
	Reason  Reason
}

// validate refuses what could not be read back: a row that is wrong once is wrong for every reader until it expires.
func (c Change) validate(shard int) error {
	if _, err := state.ParseKey(c.Key.String()); err != nil {
		return err
	}
	if !slices.Contains(reasons, c.Reason) {
		return fmt.Errorf("reason %q of %s, allowed are %s", c.Reason, c.Key, joinReasons())
	}
	if of := FeedShard(c.Key); of != shard {
		return fmt.Errorf("%s belongs to shard %d", c.Key, of)
	}
	return nil
}

func joinReasons() string {
	names := make([]string, len(reasons))
	for i, reason := range reasons {
		names[i] = string(reason)
	}
	return strings.Join(names, ", ")
}

// Bounds of a row. Ids are random and do not compress: a full row of ordinary keys is about 6 KB, one of the longest
// keys there can be stays far under DynamoDB's 400 KB.
const (
	maxRowChanges = 250
	maxRowBytes   = 100_000
)

// splitRows cuts changes into what fits a row, in order.
func splitRows(changes []Change) [][]Change {
	var rows [][]Change
	start, size := 0, 0
	for i, change := range changes {
		n := len(change.Key.String()) + 64 // and the rest of its JSON
		if i > start && (i-start == maxRowChanges || size+n > maxRowBytes) {
			rows = append(rows, changes[start:i])
			start, size = i, 0
		}
		size += n
	}
	if start < len(changes) {
		rows = append(rows, changes[start:])
	}
	return rows
}

// packedChange is a change in a row. The names are short because a row of one change hardly compresses.
type packedChange struct {
	Key     string `json:"k"`
	Version int64  `json:"v"`
	Reason  Reason `json:"r"`
}

func packChanges(changes []Change) ([]byte, error) {
	packed := make([]packedChange, len(changes))
	for i, c := range changes {
		packed[i] = packedChange{Key: c.Key.String(), Version: c.Version, Reason: c.Reason}
	}
	raw, err := json.Marshal(packed)
	if err != nil {
		return nil, fmt.Errorf("packing changes: %w", err)
	}
	return compress(raw), nil
}

func unpackChanges(row []byte) ([]Change, error) {
	raw, err := decompress(row)
	if err != nil {
		return nil, err
	}
	var packed []packedChange
	if err := json.Unmarshal(raw, &packed); err != nil {
		return nil, fmt.Errorf("unpacking changes: %w", err)
	}
	changes := make([]Change, len(packed))
	for i, p := range packed {
		key, err := state.ParseKey(p.Key)
		if err != nil {
			return nil, fmt.Errorf("unpacking changes: %w", err)
		}
		changes[i] = Change{Key: key, Version: p.Version, Reason: p.Reason}
	}
	return changes, nil
}
