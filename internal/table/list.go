package table

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blox/blox/internal/state"
)

// What one page may cost, whatever was asked for: a filter that matches nothing in a cluster with a million stopped
// tasks must not read them all in one request. A page that reaches a bound ends early and says where to go on.
const (
	maxExamined = 2000
	maxQueries  = 100
	// maxPageBytes keeps a page's answer well below the 6 MB that a Lambda function may return.
	maxPageBytes = 3 << 20
	// maxID is more than any id has: a position may have been made up.
	maxID = 256
)

// ErrPosition says that a position does not belong to the list that it was given to.
var ErrPosition = errors.New("position does not belong to this list")

// Position is where a page ended: after the record ID at a time of a stage of a cluster. A stage is a phase of one
// shard of the table, or of an index; of a sorted list there are two, what has the time and the rest. The zero Position
// is the beginning as After, and the end as Next.
type Position struct {
	Cluster state.ClusterKey
	Stage   int
	// At is the time by which the record stands where it does, in milliseconds since 1970; 0 where it has none.
	At int64
	ID string // empty at the beginning of the stage
}

// IsZero says whether this is the beginning or the end.
func (p Position) IsZero() bool { return p == Position{} }

// Page is a part of a list.
type Page struct {
	Records []state.Record
	// Next is zero when there is no more. A page may be short or empty and still have a next one.
	Next Position
	// Examined counts the records that were looked at.
	Examined int
	// Lagging says that a global index was read, which may miss a change of the last moment.
	Lagging bool
}

// TaskQuery asks for a page of tasks: those that Filter matches, in Clusters, or in all known clusters if that is nil.
type TaskQuery struct {
	Clusters []state.ClusterKey
	Filter   state.TaskFilter
	Sort     Sort
	Limit    int
	After    Position
	// Consistent reads no global index, whatever the filter: nothing is missed, and everything in the clusters is
	// looked at that is in a phase of the filter's.
	Consistent bool
}

// InstanceQuery asks for a page of container instances, as TaskQuery does for tasks.
type InstanceQuery struct {
	Clusters []state.ClusterKey
	Filter   state.InstanceFilter
	Sort     Sort
	Limit    int
	After    Position
	// Consistent is as in TaskQuery.
	Consistent bool
}

// ListTasks reads a page of tasks. Records are read consistently and filtered as they are then; a task is shown until
// this State's retention after its end.
//
// Without Sort, the order is by cluster, then fixed. What is in the list throughout is listed; what moves on in its
// life between two pages may come twice, the second time as it is then. Only what a global index finds may be missed
// because it changed in the last moment: by container instance, startedBy, group or service. All other
// fields are looked at in what the statuses and times leave: see taskWindows.
//
// With Sort, what is in the list throughout is in it once, but for what stops meanwhile: that may be missed, or come
// twice. Living things by createdAt and registeredAt, and stopped ones by stoppedAt, are read from an index in that order;
// all others that matches may pick are read for each page and sorted, and ErrTooManyToSort says that these are more than
// 2,000 records.
//
// ErrPosition: After is not of this list.
func (s *State) ListTasks(ctx context.Context, q TaskQuery, now time.Time) (Page, error) {
	return s.list(ctx, listing{
		kind: state.KindTask, clusters: q.Clusters, sort: q.Sort, limit: q.Limit, after: q.After, now: now,
		spans: func(cluster state.ClusterKey, visibleSince time.Time) []span {
			return taskSpans(cluster, q.Filter, q.Consistent, visibleSince)
		},
		match: q.Filter.Matches,
	})
}

// ListInstances reads a page of container instances, as ListTasks does of tasks. Those of one EC2 instance come from
// a global index; for every other filter, all container instances of the clusters are looked at that are here, gone, or
// either, as the status says.
func (s *State) ListInstances(ctx context.Context, q InstanceQuery, now time.Time) (Page, error) {
	return s.list(ctx, listing{
		kind: state.KindContainerInstance, clusters: q.Clusters, sort: q.Sort, limit: q.Limit, after: q.After, now: now,
		spans: func(cluster state.ClusterKey, visibleSince time.Time) []span {
			return instanceSpans(cluster, q.Filter, q.Consistent, visibleSince)
		},
		match: q.Filter.Matches,
	})
}

// listing is what one page is made of.
type listing struct {
	kind     state.Kind
	clusters []state.ClusterKey
	sort     Sort
	limit    int
	after    Position
	now      time.Time
	// spans are what to read in a cluster for the filter.
	spans func(cluster state.ClusterKey, visibleSince time.Time) []span
	match func(state.Record) bool
}

func (s *State) list(ctx context.Context, q listing) (Page, error) {
	if q.limit < 1 {
		return Page{}, fmt.Errorf("limit %d: want 1 or more", q.limit)
	}
	if err := q.sort.check(q.kind); err != nil {
		return Page{}, err
	}
	if len(q.after.ID) > maxID {
		return Page{}, fmt.Errorf("listing %ss: %w", q.kind, ErrPosition)
	}
	clusters, err := s.listed(ctx, q.clusters)
	if err != nil {
		return Page{}, err
	}
	visibleSince := q.now.Add(-s.visibleFor)
	var spans []span
	for _, cluster := range clusters {
		spans = append(spans, q.spans(cluster, visibleSince)...)
	}
	l := &lister{listing: q, reader: &reader{store: s}, queries: maxQueries, examined: maxExamined}
	page, err := l.read(ctx, spans)
	if err != nil {
		return Page{}, fmt.Errorf("listing %ss: %w", q.kind, err)
	}
	return page, nil
}

// listed are the clusters to list, in order, each once: all that are known if none are given.
func (s *State) listed(ctx context.Context, given []state.ClusterKey) ([]state.ClusterKey, error) {
	clusters := slices.Clone(given)
	if given == nil {
		known, err := s.Clusters(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range known {
			clusters = append(clusters, c.Key)
		}
	}
	slices.SortFunc(clusters, state.ClusterKey.Compare)
	return slices.Compact(clusters), nil
}

// lister fills one page.
type lister struct {
	listing
	reader *reader
	page   Page
	bytes  int
	// queries and examined bound the page's. Every page may begin all of a merge's streams, and sort what no index does.
	queries, examined int
}

func (l *lister) read(ctx context.Context, spans []span) (Page, error) {
	if l.sort.By == "" {
		w, err := newWalk(l.reader, spans, l.after, 0)
		if err != nil {
			return Page{}, err
		}
		return l.fill(ctx, w)
	}
	timed, untimed, others := ordered(spans, l.sort.By)
	if len(timed) > maxStreams || len(timed) == 0 && len(others) > 0 {
		return l.sorted(ctx, spans)
	}
	return l.merged(ctx, timed, untimed, others)
}

// merged gives the page of a list that indexes have in its order, others excepted.
func (l *lister) merged(ctx context.Context, timed, untimed, others []span) (Page, error) {
	from, afterSorted := &chain{}, Position{}
	var err error
	if l.after.Stage < stageUntimed {
		loose, err := l.loose(ctx, others)
		if err != nil {
			return Page{}, err
		}
		if from.sorted, err = newMerge(l.reader, timed, loose, l.sort, l.after); err != nil {
			return Page{}, err
		}
	} else {
		afterSorted = l.after
	}
	if from.rest, err = newWalk(l.reader, untimed, afterSorted, stageUntimed); err != nil {
		return Page{}, err
	}
	l.queries += len(timed) + l.reader.queries
	l.examined += l.page.Examined
	return l.fill(ctx, from)
}

// loose reads what no index has in order, and sorts it. What has no time stands at its end.
func (l *lister) loose(ctx context.Context, spans []span) ([]entry, error) {
	picked, err := l.pickAll(ctx, spans)
	for i, e := range picked {
		if e.place.Stage != stageUntimed {
			continue
		}
		if picked[i].place.Stage = stageTimed; !l.sort.Descending {
			picked[i].place.At = noMillis
		}
	}
	picked = slices.DeleteFunc(picked, func(e entry) bool {
		return !l.after.IsZero() && l.sort.compare(e.place, l.after) <= 0
	})
	slices.SortFunc(picked, func(a, b entry) int { return l.sort.compare(a.place, b.place) })
	return picked, err
}

// fill fills the page from a source.
func (l *lister) fill(ctx context.Context, from source) (Page, error) {
	var more bool
	for l.page.Next, more = from.next(); more && !l.full() && l.reader.queries < l.queries; l.page.Next, more = from.next() {
		entries, err := l.entries(ctx, from, l.batch())
		if err != nil {
			return Page{}, err
		}
		for _, e := range entries {
			if l.full() {
				return l.done(), nil
			}
			l.page.Next = e.place
			if e.record == nil {
				continue // deleted, or the index had not heard of it
			}
			l.page.Examined++
			if l.matches(*e.record) {
				l.page.Records = append(l.page.Records, *e.record)
				l.bytes += detailBytes(*e.record)
			}
		}
	}
	if !more {
		l.page.Next = Position{}
	}
	return l.done(), nil
}

func (l *lister) done() Page {
	l.page.Lagging = l.reader.lags
	return l.page
}

func (l *lister) matches(r state.Record) bool { return Visible(r, l.now) && l.match(r) }

// batch is how many entries to read next. A page takes up a batch's worth of them, and the next page reads again what
// is left over, so that it looks at more only where few are picked: as many as bring a batch's worth if they are picked
// a little more often than those before.
func (l *lister) batch() int {
	picked := len(l.page.Records)
	wanted := min(getBatch, l.limit-picked)
	likely := wanted * (2*l.page.Examined + wanted) / (2*picked + wanted)
	return max(1, min(likely, getBatch, l.examined-l.page.Examined))
}

func (l *lister) full() bool {
	return len(l.page.Records) >= l.limit || l.page.Examined >= l.examined || l.bytes >= maxPageBytes
}

// detailBytes is about what a record adds to an answer.
func detailBytes(r state.Record) int {
	n := 0
	for _, source := range []*state.SourceDetail{r.Event, r.Described} {
		if source != nil {
			n = max(n, len(source.Detail))
		}
	}
	return n
}

// entries reads entries with their records, consistently; one whose record is gone has none.
func (l *lister) entries(ctx context.Context, from source, wanted int) ([]entry, error) {
	entries, err := from.read(ctx, wanted)
	if err != nil {
		return nil, err
	}
	var missing []state.Key
	for _, e := range entries {
		if e.record == nil {
			missing = append(missing, e.key)
		}
	}
	found, err := l.reader.store.GetMany(ctx, missing, true)
	if err != nil {
		return nil, err
	}
	byKey := make(map[state.Key]*state.Record, len(found))
	for i := range found {
		byKey[found[i].Key] = &found[i]
	}
	for i := range entries {
		if entries[i].record == nil {
			entries[i].record = byKey[entries[i].key]
		}
	}
	return entries, nil
}

// sorted reads all that matches and gives the page of it after the position.
func (l *lister) sorted(ctx context.Context, spans []span) (Page, error) {
	if l.after.Stage < 0 || l.after.Stage > stageUntimed {
		return Page{}, ErrPosition
	}
	picked, err := l.pickAll(ctx, spans)
	if err != nil {
		return Page{}, err
	}
	picked = slices.DeleteFunc(picked, func(e entry) bool {
		return !l.after.IsZero() && l.sort.comparePlaces(e.place, l.after) <= 0
	})
	slices.SortFunc(picked, func(a, b entry) int { return l.sort.comparePlaces(a.place, b.place) })
	return l.cut(picked), nil
}

// pickAll reads all that matches, in no order, with its places in the list.
func (l *lister) pickAll(ctx context.Context, spans []span) ([]entry, error) {
	all, err := newWalk(l.reader, spans, Position{}, 0)
	if err != nil {
		return nil, err
	}
	picked := map[state.Key]entry{}
	for _, more := all.next(); more; _, more = all.next() {
		entries, err := l.entries(ctx, all, getBatch)
		if err != nil {
			return nil, err
		}
		l.page.Examined += len(entries)
		if l.page.Examined > maxExamined || l.reader.queries >= maxMergeReads {
			return nil, fmt.Errorf("%w: more than %d to look at: name what leaves less, or sort by what an index has",
				ErrTooManyToSort, maxExamined)
		}
		for _, e := range entries {
			if e.record == nil || !l.matches(*e.record) {
				continue
			}
			e.place = l.sort.place(*e.record)
			picked[e.key] = e // what moved to another phase meanwhile comes twice
		}
	}
	return slices.Collect(maps.Values(picked)), nil
}

// cut makes the page of what comes first.
func (l *lister) cut(picked []entry) Page {
	for i, e := range picked {
		l.page.Records = append(l.page.Records, *e.record)
		l.bytes += detailBytes(*e.record)
		if i+1 < len(picked) && (len(l.page.Records) >= l.limit || l.bytes >= maxPageBytes) {
			l.page.Next = e.place
			break
		}
	}
	return l.done()
}
