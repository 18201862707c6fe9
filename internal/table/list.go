package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// What one page may cost, whatever was asked for: a filter that matches nothing in a cluster with a million stopped tasks
// must not read them all in one request. A page that reaches a bound ends early and says where to go on.
const (
	maxExamined = 2000
	maxQueries  = 100
	// maxPageBytes keeps a page's answer well below the 6 MB that a Lambda function may return.
	maxPageBytes = 3 << 20
	// minBatch is read at least at once: with a limit of 1 and a rare match, one by one would be slow. maxBatch is at most
	// what DynamoDB looks at in one query, 1 MB, of the smallest records.
	minBatch = 25
	maxBatch = 1000
)

// ErrPosition says that a position does not belong to the list that it was given to.
var ErrPosition = errors.New("position does not belong to this list")

// Position is where a page ended: after the record ID of a stage of a cluster. A stage is one shard of the table, or
// one range of an index. The zero Position is the beginning as After, and the end as Next.
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
	// Consistent reads the table itself and no index, whatever the filter: nothing is missed, and everything in the
	// clusters is looked at.
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

// ListTasks reads a page of tasks, by cluster and then in a fixed order. Records are read consistently and filtered as
// they are now. What a filter finds by an index may miss a change of the last moment; without a filter on status,
// startedBy, group or container instance nothing is missed. ErrPosition: After is not of this list.
func (s *State) ListTasks(ctx context.Context, q TaskQuery, now time.Time) (Page, error) {
	by := q.Filter
	if q.Consistent {
		by = state.TaskFilter{}
	}
	stages := func(cluster state.ClusterKey) []stage { return taskStages(cluster, by) }
	return s.list(ctx, scope{q.Clusters, q.Limit, q.After, q.Filter.LastStatus, now}, stages, func(r state.Record) bool {
		return Visible(r, now) && q.Filter.Matches(r)
	})
}

// ListInstances reads a page of container instances, as ListTasks does of tasks.
func (s *State) ListInstances(ctx context.Context, q InstanceQuery, now time.Time) (Page, error) {
	status := q.Filter.Status
	if q.Consistent {
		status = ""
	}
	stages := func(cluster state.ClusterKey) []stage {
		return shardStages(cluster, state.KindContainerInstance, status)
	}
	return s.list(ctx, scope{q.Clusters, q.Limit, q.After, q.Filter.Status, now}, stages, func(r state.Record) bool {
		return Visible(r, now) && q.Filter.Matches(r)
	})
}

// stage is one query's worth of a list: a partition of the table or of an index, or a range of it.
type stage struct {
	index string // empty for the table itself
	// partition is the value of partitionKey; prefix begins the values of sortKey, and may be empty.
	partitionKey, partition string
	sortKey, prefix         string
	cluster                 state.ClusterKey
	kind                    state.Kind
	shard                   int // -1 if the stage holds all shards
}

// taskStages picks the index that leaves least to look at.
func taskStages(cluster state.ClusterKey, f state.TaskFilter) []stage {
	one := func(index, partition, sortKey, prefix string) stage {
		return stage{
			index: index, partitionKey: index, partition: partition, sortKey: sortKey, prefix: prefix,
			cluster: cluster, kind: state.KindTask, shard: -1,
		}
	}
	status := strings.ToUpper(f.LastStatus)
	ended := status == state.TaskStopped || status == state.TaskDeleted
	// A task that ECS wants to run has not stopped: what stops by itself gets the desiredStatus STOPPED with it.
	live := (status != "" && !ended) || strings.EqualFold(f.DesiredStatus, state.TaskRunning)
	switch {
	case f.ContainerInstance != "" && live:
		return []stage{one(schema.ByInstance, indexKey(cluster, "instance", instanceID(f.ContainerInstance)), schema.SortKey, "")}
	case f.StartedBy != "":
		return []stage{one(schema.ByStartedBy, indexKey(cluster, "startedBy", f.StartedBy), schema.SortKey, "")}
	case f.Group != "":
		group := indexKey(cluster, "group", f.Group)
		var stages []stage
		if !ended {
			stages = append(stages, one(schema.ByGroup, group, schema.Phase, phaseLive))
		}
		if !live {
			stages = append(stages, one(schema.ByGroup, group, schema.Phase, phaseStopped))
		}
		return stages
	default:
		return shardStages(cluster, state.KindTask, f.LastStatus)
	}
}

// instanceID is the id of a container instance given by id or by ARN.
func instanceID(s string) string {
	if arn, err := state.ParseARN(s); err == nil {
		return arn.ID
	}
	return s
}

func shardStages(cluster state.ClusterKey, kind state.Kind, status string) []stage {
	stages := make([]stage, schema.Shards)
	for shard := range stages {
		stages[shard] = stage{
			partitionKey: schema.PartitionKey, partition: partition(cluster, kind, shard), sortKey: schema.SortKey,
			cluster: cluster, kind: kind, shard: shard,
		}
		if status != "" {
			stages[shard].index, stages[shard].sortKey = schema.ByStatus, schema.ByStatus
			stages[shard].prefix = strings.ToUpper(status) + "/"
		}
	}
	return stages
}

// lister walks the stages of one page.
type lister struct {
	store   *State
	scope   scope
	match   func(state.Record) bool
	page    Page
	queries int
	bytes   int
}

// scope is what a query for a page has beside its filter; and of the filter the status, which DynamoDB can look at.
type scope struct {
	clusters []state.ClusterKey
	limit    int
	after    Position
	status   string
	now      time.Time
}

func (s *State) list(
	ctx context.Context, q scope, stagesOf func(state.ClusterKey) []stage, match func(state.Record) bool,
) (Page, error) {
	if q.limit < 1 {
		return Page{}, fmt.Errorf("limit %d: want 1 or more", q.limit)
	}
	clusters, after := slices.Clone(q.clusters), q.after
	if q.clusters == nil {
		known, err := s.Clusters(ctx)
		if err != nil {
			return Page{}, err
		}
		for _, c := range known {
			clusters = append(clusters, c.Key)
		}
	}
	slices.SortFunc(clusters, state.ClusterKey.Compare)
	clusters = slices.Compact(clusters)

	l := &lister{store: s, scope: q, match: match}
	for _, cluster := range clusters {
		// Clusters may come and go between two pages, so the position is found by order.
		if cluster.Compare(after.Cluster) < 0 {
			continue
		}
		first, id := 0, ""
		stages := stagesOf(cluster)
		if cluster == after.Cluster {
			first, id = after.Stage, after.ID
			if first < 0 || first >= len(stages) || !stages[first].holds(id) {
				return Page{}, ErrPosition
			}
		}
		for number := first; number < len(stages); number++ {
			done, err := l.walk(ctx, stages[number], Position{Cluster: cluster, Stage: number, ID: id})
			if err != nil {
				return Page{}, fmt.Errorf("listing the %ss of cluster %s: %w", stages[number].kind, cluster, err)
			}
			if done {
				return l.page, nil
			}
			id = ""
		}
	}
	l.page.Next = Position{}
	return l.page, nil
}

// walk reads a stage from a position on. done says that the page is full; its Next is then set.
func (l *lister) walk(ctx context.Context, s stage, at Position) (done bool, err error) {
	for {
		l.page.Next = at
		if l.full() {
			return true, nil
		}
		read, err := l.read(ctx, s, at.ID)
		if err != nil {
			return false, err
		}
		l.queries++
		l.page.Lagging = s.index != ""
		for _, record := range read.records {
			if l.full() {
				return true, nil
			}
			l.page.Examined++
			l.page.Next.ID = record.ID
			if l.match(record) {
				l.page.Records = append(l.page.Records, record)
				l.bytes += detailBytes(record)
			}
		}
		l.page.Examined += read.examined - len(read.records)
		if read.last == "" {
			return false, nil
		}
		at.ID = read.last
	}
}

// batch is how many records to look at in the next query of the table itself. A page takes up a batch's worth of them, and
// the next page reads again what is left over, so that it looks at more only where few are picked: as many as bring a
// batch's worth if they are picked a little more often than those before.
func (l *lister) batch() int {
	picked := len(l.page.Records)
	wanted := min(getBatch, l.scope.limit-picked)
	likely := wanted * (2*l.page.Examined + wanted) / (2*picked + wanted)
	return min(max(minBatch, likely), maxBatch, maxExamined-l.page.Examined)
}

func (l *lister) full() bool {
	return len(l.page.Records) >= l.scope.limit || l.page.Examined >= maxExamined || l.queries >= maxQueries || l.bytes >= maxPageBytes
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

// reading is a batch of a stage, in its order.
type reading struct {
	records []state.Record
	// examined counts those that DynamoDB's filter left out, too.
	examined int
	// last is the id that was reached, even where the record is gone by now; empty at the stage's end.
	last string
}

// read reads a batch of a stage after an id.
func (l *lister) read(ctx context.Context, g stage, after string) (r reading, err error) {
	in := &dynamodb.QueryInput{
		TableName:                 &l.store.name,
		KeyConditionExpression:    aws.String("#partition = :partition"),
		ExpressionAttributeNames:  map[string]string{"#partition": g.partitionKey},
		ExpressionAttributeValues: Item{":partition": stringValue(g.partition)},
		ExclusiveStartKey:         g.startKey(after),
	}
	if g.prefix != "" {
		*in.KeyConditionExpression += " AND begins_with(#sort, :prefix)"
		in.ExpressionAttributeNames["#sort"] = g.sortKey
		in.ExpressionAttributeValues[":prefix"] = stringValue(g.prefix)
	}
	limit := l.batch()
	if g.index == "" {
		in.ConsistentRead = aws.Bool(true)
		l.scope.filter(in)
	} else {
		in.IndexName = &g.index
		limit = min(getBatch, max(minBatch, l.scope.limit-len(l.page.Records)))
	}
	in.Limit = aws.Int32(int32(limit)) //nolint:gosec // at most maxBatch
	out, err := l.store.db.Query(ctx, in)
	if err != nil {
		return reading{}, err
	}
	r.examined, r.last = int(out.ScannedCount), stringOf(out.LastEvaluatedKey, schema.SortKey)
	if g.index == "" {
		r.records, err = unpackAll(out.Items)
	} else {
		r.records, err = l.store.recordsOf(ctx, out.Items)
	}
	return r, err
}

// filter leaves to DynamoDB what would not be picked: most records of a busy cluster are of what ended, and reading them
// costs the same but neither their way here nor their decoding.
func (q scope) filter(in *dynamodb.QueryInput) {
	in.FilterExpression = aws.String("(attribute_not_exists(#tombstone) OR #tombstone.#visibleUntil > :now)")
	in.ExpressionAttributeNames["#tombstone"], in.ExpressionAttributeNames["#visibleUntil"] = "tombstone", "visibleUntil"
	in.ExpressionAttributeValues[":now"] = numberValue(millis(q.now))
	if q.status != "" {
		*in.FilterExpression += " AND #status = :status"
		in.ExpressionAttributeNames["#status"] = "status"
		in.ExpressionAttributeValues[":status"] = stringValue(strings.ToUpper(q.status))
	}
}

// recordsOf reads the records that an index names, consistently, in the index's order.
func (s *State) recordsOf(ctx context.Context, keys []Item) ([]state.Record, error) {
	wanted := make([]state.Key, len(keys))
	for i, key := range keys {
		var err error
		if wanted[i], err = parseRecordKey(stringOf(key, schema.PartitionKey), stringOf(key, schema.SortKey)); err != nil {
			return nil, err
		}
	}
	found, err := s.GetMany(ctx, wanted, true)
	if err != nil {
		return nil, err
	}
	byKey := make(map[state.Key]state.Record, len(found))
	for _, record := range found {
		byKey[record.Key] = record
	}
	records := make([]state.Record, 0, len(found))
	for _, key := range wanted {
		if record, ok := byKey[key]; ok {
			records = append(records, record)
		}
	}
	return records, nil
}

// holds says whether a record of that id could be in the stage; the empty id is the stage's beginning.
func (g stage) holds(id string) bool {
	return id == "" || g.shard < 0 || shardOf(id, schema.Shards) == g.shard
}

// startKey is the key of a record within the stage. It is made from the id alone, so that no position that somebody
// made up can name a key outside of the stage: DynamoDB refuses those.
func (g stage) startKey(id string) Item {
	if id == "" {
		return nil
	}
	key := itemKey(recordKey(state.Key{Kind: g.kind, Cluster: g.cluster, ID: id}))
	key[g.partitionKey] = stringValue(g.partition)
	if g.sortKey != schema.SortKey {
		key[g.sortKey] = stringValue(g.prefix + id)
	}
	return key
}
