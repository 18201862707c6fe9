package table

import (
	"slices"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// span is what one query reads, page by page: a range of the sort key of a partition of an index.
type span struct {
	index string
	// partition is the value of partitionKey. Values of sortKey lie between from and to.
	partitionKey, partition string
	sortKey, from, to       string
	cluster                 state.ClusterKey
	kind                    state.Kind
	shard                   int // -1 if it holds all shards
	// covers are the phases of the span. stage numbers the first of them in its cluster's list; two spans of one phase
	// have the same.
	stage  int
	covers []phase
}

// window is the range of times of a phase that is read, in milliseconds: from since, and before until if that is not 0.
type window struct {
	phase        phase
	since, until int64
}

// from and to are the bounds of a window's keys, to excluded because no key is equal to it.
func (w window) from() string { return phaseTime(w.phase, w.since) }

func (w window) to() string {
	if w.until == 0 {
		return w.phase + "0" // the character after "/"
	}
	return phaseTime(w.phase, w.until)
}

func (w window) empty() bool { return w.until != 0 && w.until <= w.since }

// spansOf makes the fewest spans of some windows of a partition. all are the phases that the sort key can begin with.
func (s span) spansOf(all []phase, windows []window) []span {
	var spans []span
	joins := false
	for _, w := range windows {
		if w.empty() {
			joins = false
			continue
		}
		number := slices.Index(all, w.phase)
		last := len(spans) - 1
		if joins && w.since == 0 && spans[last].lastStage()+1 == s.stage+number {
			spans[last].to = w.to()
			spans[last].covers = append(spans[last].covers, w.phase)
		} else {
			next := s
			next.from, next.to, next.covers, next.stage = w.from(), w.to(), []phase{w.phase}, s.stage+number
			spans = append(spans, next)
		}
		joins = w.until == 0
	}
	return spans
}

// lastStage is the number of the span's last phase.
func (s span) lastStage() int { return s.stage + len(s.covers) - 1 }

// passed says whether a position of the span's last stage lies beyond it.
func (s span) passed(at Position) bool {
	last := len(s.covers) - 1
	return at.ID != "" && at.Stage == s.stage+last && phaseKey(s.covers[last], at.At, at.ID) > s.to
}

// shardSpans reads the partitions of a cluster's records of a kind by phase, consistently.
func shardSpans(cluster state.ClusterKey, kind state.Kind, windows []window) []span {
	all := phases(kind)
	var spans []span
	for shard := range shards(kind) {
		of := span{
			index: schema.ByPhase, partitionKey: schema.PartitionKey, partition: partition(cluster, kind, shard),
			sortKey: schema.ByPhase, cluster: cluster, kind: kind, shard: shard, stage: shard * len(all),
		}
		spans = append(spans, of.spansOf(all, windows)...)
	}
	return spans
}

// valueSpans reads the partition of a global index that has what has a value, in the same times as shardSpans.
func valueSpans(cluster state.ClusterKey, kind state.Kind, index, value string, windows []window) []span {
	of := span{
		index: index, partitionKey: index, partition: indexKey(cluster, value), sortKey: schema.Life,
		cluster: cluster, kind: kind, shard: -1,
	}
	return of.spansOf(lifePhases, lifeWindows(windows))
}

// lags says whether the span may miss a change of the last moment: global indexes may.
func (s span) lags() bool { return s.partitionKey != schema.PartitionKey }

// place is where an item of the span, or its key, stands.
func (s span) place(item Item) (Position, error) {
	at := Position{Cluster: s.cluster, Stage: s.stage, ID: stringOf(item, schema.SortKey)}
	p, millis, err := parsePhaseKey(stringOf(item, s.sortKey))
	at.Stage, at.At = s.stage+max(0, slices.Index(s.covers, p)), millis
	return at, err
}

// start is the key after which the span goes on from a position; nil is its beginning. It is made so that no position
// that somebody made up names a key outside of the span: DynamoDB refuses those. ErrPosition: no record of the span can
// have been there.
func (s span) start(at Position) (Item, error) {
	if at.ID == "" {
		return nil, nil
	}
	if s.shard >= 0 && shardOf(at.ID, shards(s.kind)) != s.shard {
		return nil, ErrPosition
	}
	key := itemKey(recordKey(state.Key{Kind: s.kind, Cluster: s.cluster, ID: at.ID}))
	key[s.partitionKey] = stringValue(s.partition)
	if at.At < 0 || at.At > maxMillis {
		return nil, ErrPosition
	}
	value := phaseKey(s.covers[at.Stage-s.stage], at.At, at.ID)
	switch {
	case value < s.from:
		return nil, nil // what ended there has gone out of sight since
	case value > s.to:
		return nil, ErrPosition
	}
	key[s.sortKey] = stringValue(value)
	return key, nil
}

// order is what a span's records are sorted by.
type order int

const (
	orderOther   order = iota
	orderTimed         // by the time asked for
	orderUntimed       // they do not have that time
)

// orderOf says how a phase is sorted, for a list by a time.
func orderOf(kind state.Kind, p phase, by string) order {
	switch {
	case kind == state.KindContainerInstance && !over(p), by == SortByCreatedAt && !over(p), by == SortByStoppedAt && over(p):
		return orderTimed
	case by == SortByStoppedAt:
		return orderUntimed
	default:
		return orderOther
	}
}

// byPhase cuts the span into one for each phase.
func (s span) byPhase() []span {
	parts := make([]span, len(s.covers))
	for i, p := range s.covers {
		parts[i] = s
		parts[i].covers, parts[i].stage = []phase{p}, s.stage+i
		parts[i].from, parts[i].to = max(s.from, p+"/"), min(s.to, p+"0")
	}
	return parts
}

// splitTimed cuts a span of one phase into what has a time and what has none, which is at time 0.
func (s span) splitTimed() (timed, untimed span) {
	timed, untimed = s, s
	first := phaseTime(s.covers[0], 1)
	timed.from, untimed.to = max(s.from, first), first
	return timed, untimed
}

func (s span) empty() bool { return s.from >= s.to }

// ordered cuts a list's spans into those that have the order that is asked for, to be merged, those without the time, to
// come after them, and the others, which have to be read and sorted.
func ordered(spans []span, by string) (timed, untimed, others []span) {
	for _, s := range spans {
		for _, part := range s.byPhase() {
			switch orderOf(part.kind, part.covers[0], by) {
			case orderOther:
				others = append(others, part)
			case orderUntimed:
				untimed = append(untimed, part)
			case orderTimed:
				with, without := part.splitTimed()
				if !with.empty() {
					timed = append(timed, with)
				}
				if !without.empty() {
					untimed = append(untimed, without)
				}
			}
		}
	}
	return timed, untimed, others
}
