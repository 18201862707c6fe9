package sim

import (
	"context"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// checkFeed is what watching rests on (invariant 7): the feed has the last version of everything that is stored, and
// what it says of a key comes in the order of its versions, but for what it repeats.
func (w *world) checkFeed() {
	if !w.f.watched() || w.lasted.days > 0 {
		return // the beginning of the feed has expired
	}
	feed := table.NewFeed(w.db, stateTable, w.clock)
	type told struct {
		key     state.Key
		version int64
	}
	newest, before := map[state.Key]int64{}, map[told]bool{}
	var at table.FeedPosition
	for {
		changes, next, err := feed.Read(context.Background(), at, 500)
		if err != nil {
			w.violate(7, "the feed cannot be read from %s: %v", at, err)
			return
		}
		if next == at {
			break
		}
		at = next
		for _, c := range changes {
			this := told{c.Key, c.Version}
			if before[this] {
				w.met("feed repeats itself")
			} else if c.Version < newest[c.Key] {
				w.violate(7, "the feed tells of version %d of %s after version %d", c.Version, c.Key, newest[c.Key])
				return
			}
			before[this] = true
			newest[c.Key] = max(newest[c.Key], c.Version)
		}
	}
	for _, key := range sortedKeys(w.mirror.records) {
		if newest[key] != w.mirror.records[key].Version {
			w.violate(7, "the feed ends with version %d of %s, stored is %d", newest[key], key, w.mirror.records[key].Version)
			return
		}
	}
}
