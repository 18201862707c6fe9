// Package ingest turns batches of ECS events into stored state.
//
// Nothing that reaches it is lost: a record is stored, proven to be old news, or
// sent to the dead-letter queue with the reason; only what may go better next
// time is left in the queue. Malformed events are set aside here and not by the
// queue's own redrive: that would try each of them many times first, and give no
// reason.
package ingest

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Store is the part of the STATE table that ingest writes.
type Store interface {
	Put(ctx context.Context, seen state.Observation, now time.Time) (state.Outcome, error)
	GetMany(ctx context.Context, keys []state.Key, consistent bool) ([]state.Record, error)
	AddCluster(ctx context.Context, key state.ClusterKey) error
	PutLag(ctx context.Context, account, region string, lag table.Lag) error
}

var _ Store = (*table.State)(nil)

// Record is one message of the events queue.
type Record struct {
	ID   string
	Body string
}

// Config is what an Ingester needs.
type Config struct {
	Store Store
	// DeadLetters gets the events that can never be stored, Hints the requests
	// to reconcile (package request).
	DeadLetters queue.Sender
	Hints       queue.Sender
	Now         func() time.Time
	// Workers is how many keys of a batch are written at the same time; with 1
	// everything happens in the caller's goroutine, in the order of the batch.
	Workers int
	Metrics metrics.Sink
	// Logger gets one line for each batch; it never holds a part of an event.
	Logger *slog.Logger
}

// Ingester stores events. It is safe for concurrent use.
type Ingester struct {
	cfg      Config
	clusters knownClusters
	lags     lags
}

// New makes an Ingester.
func New(cfg Config) *Ingester { return &Ingester{cfg: cfg} }

// Batch handles a batch of records and names those that must be delivered again,
// in the order of the batch. All others are done with.
func (i *Ingester) Batch(ctx context.Context, records []Record) (failedIDs []string) {
	started := i.cfg.Now()
	b := parse(records)
	i.addClusters(ctx, b)
	i.forEach(len(b.keys), func(n int) { i.write(ctx, b.byKey[b.keys[n]]) })
	i.sendHints(ctx, b)
	i.sendDead(ctx, b)
	lag := i.reportLag(ctx, b)
	i.log(ctx, b, i.cfg.Now().Sub(started), lag)
	i.measure(b, lag)
	for _, e := range b.entries {
		if e.fate == failed {
			failedIDs = append(failedIDs, e.record.ID)
		}
	}
	return failedIDs
}

// forEach runs do for 0 to n-1 and returns when all are done.
func (i *Ingester) forEach(n int, do func(n int)) {
	if i.cfg.Workers <= 1 {
		for k := range n {
			do(k)
		}
		return
	}
	var group errgroup.Group
	group.SetLimit(i.cfg.Workers)
	for k := range n {
		group.Go(func() error {
			do(k)
			return nil
		})
	}
	_ = group.Wait() // do has no error
}
