package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// now is a second after the events that eventtest builds.
var now = eventtest.DefaultTime.Add(time.Second)

// fakeStore keeps records by the rules of package state and fails on demand.
type fakeStore struct {
	mu       sync.Mutex
	records  map[state.Key]state.Record
	puts     []int64 // versions
	clusters []state.ClusterKey
	lags     []lagReport

	put        func(state.Observation) error // called before each Put
	clusterErr error
	lagErr     error
	readErr    error
}

type lagReport struct {
	place  string
	millis int64
}

func (s *fakeStore) Put(_ context.Context, seen state.Observation, at time.Time) (state.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.put != nil {
		if err := s.put(seen); err != nil {
			return 0, err
		}
	}
	s.puts = append(s.puts, seen.Version)
	record, outcome, err := state.Apply(s.records[seen.Key], seen, at, state.DefaultVisibleFor)
	if err == nil && outcome.Written() {
		if s.records == nil {
			s.records = map[state.Key]state.Record{}
		}
		s.records[seen.Key] = record
	}
	return outcome, err
}

func (s *fakeStore) GetMany(_ context.Context, keys []state.Key, _ bool) ([]state.Record, error) {
	var found []state.Record
	for _, key := range keys {
		if record, ok := s.records[key]; ok {
			found = append(found, record)
		}
	}
	return found, s.readErr
}

func (s *fakeStore) AddCluster(_ context.Context, key state.ClusterKey) error {
	if s.clusterErr != nil {
		return s.clusterErr
	}
	s.clusters = append(s.clusters, key)
	return nil
}

func (s *fakeStore) PutLag(_ context.Context, account, region string, lag table.Lag) error {
	if s.lagErr != nil {
		return s.lagErr
	}
	s.lags = append(s.lags, lagReport{account + "/" + region, lag.Millis})
	return nil
}

type fakeQueue struct {
	messages []queue.Message
	err      error
}

func (q *fakeQueue) Send(_ context.Context, messages []queue.Message) error {
	if q.err == nil {
		q.messages = append(q.messages, messages...)
	}
	return q.err
}

// bench is an Ingester with fakes around it.
type bench struct {
	*Ingester
	store   *fakeStore
	dead    *fakeQueue
	hints   *fakeQueue
	now     time.Time
	lines   bytes.Buffer
	metrics metrics.Memory
}

func newBench(workers int) *bench {
	b := &bench{store: &fakeStore{}, dead: &fakeQueue{}, hints: &fakeQueue{}, now: now}
	b.Ingester = New(Config{
		Store: b.store, DeadLetters: b.dead, Hints: b.hints, Workers: workers,
		Now:     func() time.Time { return b.now },
		Metrics: &b.metrics,
		Logger:  slog.New(slog.NewJSONHandler(&b.lines, nil)),
	})
	return b
}

// batch sends bodies as records with the ids "0", "1" and so on.
func (b *bench) batch(t *testing.T, bodies ...[]byte) []string {
	t.Helper()
	records := make([]Record, len(bodies))
	for i, body := range bodies {
		records[i] = Record{ID: string(rune('0' + i)), Body: string(body)}
	}
	return b.Batch(t.Context(), records)
}

// lastLine is the newest line of the log.
func (b *bench) lastLine(t *testing.T) map[string]any {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(b.lines.Bytes()), []byte("\n"))
	var line map[string]any
	require.NoError(t, json.Unmarshal(lines[len(lines)-1], &line))
	return line
}

func (b *bench) requireCounts(t *testing.T, want map[fate]int) {
	t.Helper()
	line := b.lastLine(t)
	for _, f := range fates {
		require.EqualValues(t, want[f], line[string(f)], "count of %s", f)
	}
}

// version is what is stored of the default task, 0 if nothing is.
func (b *bench) version(id string) int64 {
	cluster := state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: eventtest.DefaultCluster}
	return b.store.records[state.Key{Kind: state.KindTask, Cluster: cluster, ID: id}].Version
}

func validationError(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message}
}
