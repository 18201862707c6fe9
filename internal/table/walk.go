package table

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// entry is a record's key with its place in a list, and the record once it has been read.
type entry struct {
	key    state.Key
	place  Position
	record *state.Record
}

// source gives what may be in a list, in its order.
type source interface {
	// read gives the next entries, at most as many as wanted; none does not mean that there are no more.
	read(ctx context.Context, wanted int) ([]entry, error)
	// next is the position after all that was read; ok is false at the end.
	next() (at Position, ok bool)
}

// reader makes the queries of one page and counts them.
type reader struct {
	store   *State
	queries int
	lags    bool
}

// query reads one page of a span. last is the key that was reached, nil at the span's end.
func (r *reader) query(
	ctx context.Context, s span, start Item, limit int, descending bool,
) (entries []entry, last Item, err error) {
	in := &dynamodb.QueryInput{
		TableName:                &r.store.name,
		IndexName:                &s.index,
		KeyConditionExpression:   aws.String("#partition = :partition AND #sort BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#partition": s.partitionKey, "#sort": s.sortKey},
		ExpressionAttributeValues: Item{
			":partition": stringValue(s.partition), ":from": stringValue(s.from), ":to": stringValue(s.to),
		},
		ExclusiveStartKey: start,
		ScanIndexForward:  aws.Bool(!descending),
		ConsistentRead:    aws.Bool(!s.lags()),
		Limit:             aws.Int32(int32(limit)), //nolint:gosec // at most getBatch
	}
	out, err := r.store.db.Query(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	r.queries++
	r.lags = r.lags || s.lags()
	for _, item := range out.Items {
		e, ok, err := r.entry(s, item)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			entries = append(entries, e)
		}
	}
	if len(out.LastEvaluatedKey) > 0 {
		last = out.LastEvaluatedKey
	}
	return entries, last, nil
}

// entry reads an item of a span. ok is false for what is of another kind: one index has tasks by container instance and
// container instances by EC2 instance.
func (r *reader) entry(s span, item Item) (e entry, ok bool, err error) {
	if e.key, err = parseRecordKey(stringOf(item, schema.PartitionKey), stringOf(item, schema.SortKey)); err != nil {
		return entry{}, false, err
	}
	if e.place, err = s.place(item); err != nil {
		return entry{}, false, err
	}
	return e, e.key.Kind == s.kind, nil
}

// walk reads spans one after the other.
type walk struct {
	reader *reader
	spans  []span
	at     Position
	start  Item
	// stages is added to the number of each stage, where another source comes first.
	stages int
}

// newWalk begins after a position; the zero Position is the beginning.
func newWalk(r *reader, spans []span, after Position, stages int) (*walk, error) {
	w := &walk{reader: r, spans: spans, stages: stages}
	after.Stage -= stages
	if after.ID == "" && after.Cluster == (state.ClusterKey{}) {
		w.begin()
		return w, nil
	}
	// Clusters may come and go between two pages, so the position is found by order.
	for len(w.spans) > 0 {
		s := w.spans[0]
		if c := s.cluster.Compare(after.Cluster); c > 0 {
			break
		} else if c == 0 && after.Stage <= s.lastStage() {
			if after.Stage < s.stage {
				return nil, ErrPosition
			}
			if s.passed(after) && len(w.spans) > 1 && w.spans[1].cluster == s.cluster && w.spans[1].stage == after.Stage {
				w.spans = w.spans[1:]
				continue
			}
			var err error
			w.at = after
			w.start, err = s.start(after)
			return w, err
		}
		w.spans = w.spans[1:]
		if s.cluster == after.Cluster && (len(w.spans) == 0 || w.spans[0].cluster != s.cluster) {
			return nil, ErrPosition // the cluster has no such stage
		}
	}
	w.begin()
	return w, nil
}

// begin stands before the first of the spans that are left.
func (w *walk) begin() {
	w.start = nil
	if len(w.spans) > 0 {
		w.at = Position{Cluster: w.spans[0].cluster, Stage: w.spans[0].stage}
	}
}

func (w *walk) next() (Position, bool) {
	if len(w.spans) == 0 {
		return Position{}, false
	}
	at := w.at
	at.Stage += w.stages
	return at, true
}

func (w *walk) read(ctx context.Context, wanted int) ([]entry, error) {
	if len(w.spans) == 0 {
		return nil, nil
	}
	s := w.spans[0]
	entries, last, err := w.reader.query(ctx, s, w.start, min(getBatch, wanted), false)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		entries[i].place.Stage += w.stages
	}
	if last == nil {
		w.spans = w.spans[1:]
		w.begin()
		return entries, nil
	}
	w.start = last
	w.at, err = s.place(last)
	return entries, err
}
