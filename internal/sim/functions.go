package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	ingestfunction "github.com/blox/blox/functions/ingest"
	reconcilefunction "github.com/blox/blox/functions/reconcile"
	schedulerfunction "github.com/blox/blox/functions/scheduler"
	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dispatch"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/ingest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/reconcile"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// idleGrace is how long a host may run nothing but daemons before it is released: shorter than in production, or few runs
// would see it.
const idleGrace = 3 * time.Minute

// reconcilePeriod is how often the sweep's schedule fires.
const reconcilePeriod = 5 * time.Minute

const (
	account      = "123456789012"
	region       = "us-east-1"
	cluster      = "prod"
	installation = "sim"
	stateTable   = "state"
	daemonTable  = "daemon"
)

// process is one execution environment of a function: it handles one invocation at a time, and keeps its memory from one
// to the next until it dies.
type process struct {
	ingest    *ingestfunction.Handler
	reconcile *reconcilefunction.Handler
	drive     func(context.Context, json.RawMessage) (events.SQSEventResponse, error)
	dispatch  func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error)
	api       http.Handler
}

// function is the processes of one function that are idle, the last one used first.
type function struct {
	cold func() *process
	idle []*process
}

func (f *function) take() *process {
	if n := len(f.idle); n > 0 {
		p := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return p
	}
	return f.cold()
}

func (f *function) giveBack(p *process) { f.idle = append(f.idle, p) }

var quiet = slog.New(slog.DiscardHandler)

func (w *world) newIngest() *process {
	return &process{ingest: ingestfunction.New(ingest.Config{
		Store: w.state, DeadLetters: sender{w, "dead letters", w.deadLetters}, Hints: sender{w, "requests", w.requests},
		Now: w.clock, Workers: 1, Metrics: metrics.Discard{}, Logger: quiet,
	})}
}

// readBlock is how many calls reconcile takes at once in production.
const readBlock = 10

func (w *world) newReconcile() *process {
	share := ecsapi.ReadShare(ecsapi.DefaultReadsPerSecond)
	var places []reconcile.Config
	for _, p := range w.places {
		bucket := table.Bucket{Account: p.account, Region: p.region, Name: ecsapi.BucketRead, PerSecond: share.PerSecond, Burst: share.Burst}
		budget := &ecsapi.Budget{Block: readBlock, Pause: w.sleep, Take: func(ctx context.Context, n int) (int, time.Duration, error) {
			return w.daemon.ReserveCalls(ctx, bucket, n, w.now)
		}}
		places = append(places, reconcile.Config{
			ECS: ecsapi.Limit(p.client, budget), Account: p.account, Region: p.region, Store: w.state, Now: w.clock, Workers: 1,
			Period: reconcilePeriod, Metrics: metrics.Discard{}, Logger: quiet,
		})
	}
	return &process{reconcile: reconcilefunction.New(reconcilefunction.Config{
		Places: places,
		Queue:  sender{w, "requests", w.requests}, Now: w.clock, Metrics: metrics.Discard{}, Logger: quiet,
	})}
}

func (w *world) newDispatch() *process {
	return &process{dispatch: schedulerfunction.Dispatch(dispatch.New(dispatch.Config{
		State: w.state, Daemon: w.daemon, Feed: table.NewFeed(w.db, stateTable, w.clock),
		Wakeups: sender{w, "wake-ups", w.wakeups}, Installation: installation,
	}))}
}

func (w *world) newDrive() *process {
	return &process{drive: schedulerfunction.Drive(w.newDriver(), quiet)}
}

func (w *world) newDriver() *drive.Driver {
	settings := daemon.DefaultSettings()
	settings.IdleGrace = idleGrace
	return drive.New(drive.Config{
		State: w.state, Daemon: w.daemon, ECS: func(account, region string) (ecsapi.API, error) { return w.clientOf(account, region) },
		Wakeups: sender{w, "wake-ups", w.wakeups}, Now: w.clock, NewOwner: func() string { return w.newID() },
		Alarms:       func(string, string) (alarms.API, error) { return watcher{w}, nil },
		Installation: installation, Settings: settings,
		Modify: drive.DefaultModify, Describe: drive.DefaultDescribe, Workers: 1,
		Announce: teller{w}, Metrics: metrics.Discard{}, Log: quiet,
	})
}

func (w *world) newAPI() *process {
	return &process{api: httpapi.New(httpapi.Deps{
		State: w.state, Daemon: w.daemon, ECS: func(account, region string) (httpapi.ECS, error) { return w.clientOf(account, region) },
		Feed: table.NewFeed(w.db, stateTable, w.clock), Scheduler: w.newDriver(),
		Wakeups: sender{w, "wake-ups", w.wakeups}, Now: w.clock, NewID: w.newTimeID, Account: account, Region: region,
		Installation: installation, Version: "sim", Logger: quiet,
	})}
}

// newID is a UUID of the seed.
func (w *world) newID() string {
	a, b := w.ids.Uint64(), w.ids.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0xfff, b&0xffffffffffff)
}

// newTimeID is one that sorts by time, as UUIDs of version 7 do.
func (w *world) newTimeID() string {
	ms, b := uint64(w.now.UnixMilli()), w.ids.Uint64() //nolint:gosec // long after 1970
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", ms>>16, ms&0xffff, b>>52, b>>40&0xfff, b&0xffffffffff)
}

func clusterKey() state.ClusterKey {
	return state.ClusterKey{Account: account, Region: region, Name: cluster}
}
