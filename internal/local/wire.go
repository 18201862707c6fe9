package local

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/uuid"

	apifunction "github.com/blox/blox/functions/api"
	ingestfunction "github.com/blox/blox/functions/ingest"
	reconcilefunction "github.com/blox/blox/functions/reconcile"
	"github.com/blox/blox/functions/scheduler"
	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dispatch"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/ingest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue/memory"
	"github.com/blox/blox/internal/reconcile"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Timeouts of the functions. A queue's visibility timeout is longer than its function's, so that a message is not
// delivered again while it is worked on; that of the wake-ups outlasts the lease of a driver that died.
const (
	ingestTimeout    = 20 * time.Second
	reconcileTimeout = 60 * time.Second
	dispatchTimeout  = 20 * time.Second
	driveTimeout     = 60 * time.Second
	apiTimeout       = 29 * time.Second // API Gateway's
	streamTimeout    = 330 * time.Second

	eventsVisibility    = 30 * time.Second
	reconcileVisibility = 90 * time.Second
	wakeupsVisibility   = 90 * time.Second
)

// Deliveries before a message is set aside. Those of events are so many that an outage does not set good events aside.
const (
	eventsMaxReceives = 1000
	othersMaxReceives = 5
)

// executions is how many batches of events, and of wake-ups, are worked on at the same time. Two drivers can meet at
// one environment here too, so the lease is at work.
const executions = 2

// workers is how many calls one invocation makes at the same time.
const workers = 4

// eventGrace is how long the event of a change may be missing before ECS is asked: here they take milliseconds.
const eventGrace = 5 * time.Second

// functions are the Lambda functions. Two of them are one zip, dispatch and drive, and two are another, api and stream.
type functions struct {
	ingest, reconcile, dispatch, drive, api *function
	stream                                  *streamFunction
}

// wire makes the functions and the queues between them, and returns who is to run, once for each execution.
func (s *System) wire() (executionsOf []*mapping) {
	now, log := s.cfg.Now, s.cfg.Log
	queue := func(name string, visibility time.Duration, maxReceives int, fifo bool) *mapping {
		dead := memory.New(memory.Options{Now: now, FIFO: fifo})
		return newMapping(name, memory.New(memory.Options{
			Now: now, Visibility: visibility, MaxReceives: maxReceives, DeadLetter: dead, FIFO: fifo,
		}), dead, now, log)
	}
	events := queue("events", eventsVisibility, eventsMaxReceives, false)
	requests := queue("reconcile.fifo", reconcileVisibility, othersMaxReceives, true)
	wakeups := queue("wakeups", wakeupsVisibility, othersMaxReceives, false)

	stateTable := table.NewState(s.store.db, s.store.state, state.DefaultVisibleFor)
	daemonTable := table.NewDaemon(s.store.db, s.store.daemon)
	feed := table.NewFeed(s.store.db, s.store.state, now)

	driver := drive.Config{
		State: stateTable, Daemon: daemonTable, ECS: func(account, region string) (ecsapi.API, error) { return s.ecsOf(account, region) },
		Alarms:  func(string, string) (alarms.API, error) { return &s.alarms, nil },
		Wakeups: wakeups, Now: now, NewOwner: uuid.NewString,
		Installation: installation, Settings: s.settings(), Modify: s.modifyShare(), Describe: drive.DefaultDescribe,
		Workers: workers, Announce: announce.Log{Logger: log}, Metrics: metrics.Discard{}, Log: quieter(log),
	}
	apiDeps := httpapi.Deps{
		State: stateTable, Daemon: daemonTable, ECS: func(account, region string) (httpapi.ECS, error) { return s.ecsOf(account, region) },
		Feed: feed, Scheduler: drive.New(driver), Wakeups: wakeups, Reconciles: requests, Now: now, NewID: newID, VisibleFor: state.DefaultVisibleFor,
		Account: account, Region: region, Installation: installation, Version: "local", Logger: quieter(log),
	}

	s.functions = functions{
		ingest: newFunction("ingest", ingestTimeout, ingestfunction.New(ingest.Config{
			Store: stateTable, DeadLetters: events.dead, Hints: requests, Now: now, Workers: workers,
			Metrics: metrics.Discard{}, Logger: quieter(log),
		}).Handle),
		reconcile: newFunction("reconcile", reconcileTimeout, reconcilefunction.New(reconcilefunction.Config{
			Places: []reconcile.Config{{
				ECS: s.ecsAPI, Account: account, Region: region, Store: stateTable, Now: now, Workers: workers,
				Period: s.cfg.ReconcilePeriod, Metrics: metrics.Discard{}, Logger: quieter(log),
			}},
			Queue: requests, Now: now, Metrics: metrics.Discard{}, Logger: quieter(log),
		}).Handle),
		dispatch: newFunction("scheduler-dispatch", dispatchTimeout, scheduler.Dispatch(dispatch.New(dispatch.Config{
			State: stateTable, Daemon: daemonTable, Feed: feed, Wakeups: wakeups, Installation: installation, Log: quieter(log),
		}))),
		drive:  newFunction("scheduler-drive", driveTimeout, scheduler.Drive(drive.New(driver), quieter(log))),
		api:    newFunction("api", apiTimeout, apifunction.New(apiDeps).Handle),
		stream: &streamFunction{timeout: streamTimeout, handle: apifunction.NewStream(apiDeps).Handle},
	}
	events.function, requests.function, wakeups.function = s.functions.ingest, s.functions.reconcile, s.functions.drive
	s.events, s.state, s.daemon = events, stateTable, daemonTable
	s.sqs = s.simulateSQS(events, requests, wakeups)
	executionsOf = append(executionsOf, requests)
	for range executions {
		executionsOf = append(executionsOf, events, wakeups)
	}
	return executionsOf
}

// quieter leaves out what the functions log about what went well; a person reads this log.
func quieter(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled lets warnings and errors through.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// newID makes ids that sort by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (s *System) settings() daemon.Settings {
	settings := daemon.DefaultSettings()
	settings.ReconcilePeriod = s.cfg.ReconcilePeriod
	settings.EventGrace = eventGrace
	return settings
}

// modifyShare bounds starts and stops as in an account, unless the configuration says otherwise.
func (s *System) modifyShare() ecsapi.Share {
	if s.cfg.ModifiesPerSecond > 0 {
		return ecsapi.ModifyShare(s.cfg.ModifiesPerSecond)
	}
	return drive.DefaultModify
}

func (s *System) ecsOf(wantAccount, wantRegion string) (*ecs.Client, error) {
	if wantAccount != account || wantRegion != region {
		return nil, fmt.Errorf("there is no ECS for account %s in %s: local mode simulates account %s in %s", wantAccount, wantRegion, account, region)
	}
	return s.ecsAPI, nil
}

// schedules are EventBridge Scheduler's: the reconcile and the scheduler's tick.
func (s *System) schedules() []*schedule {
	return []*schedule{
		{function: s.functions.reconcile, payload: payload(reconcilefunction.ScheduleSource), period: s.cfg.ReconcilePeriod, log: s.cfg.Log},
		{function: s.functions.drive, payload: payload(scheduler.TickSource), period: s.cfg.TickPeriod, log: s.cfg.Log},
	}
}

func payload(source string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"source":%q}`, source))
}

// onEvents is the event bus: what the rule matches goes to the events queue.
func (s *System) onEvents(delivered []ecssim.Event) {
	if s.cfg.OnWorld != nil {
		s.sim.Do(func(sim *ecssim.Simulator, _ time.Time) { s.cfg.OnWorld(sim.Snapshot()) })
	}
	events := make([][]byte, len(delivered))
	for i, e := range delivered {
		events[i] = e.JSON
	}
	if err := s.events.Send(s.calls, forwarded(events)); err != nil && s.calls.Err() == nil {
		s.cfg.Log.Error("events could not be put into their queue", "events", len(events), "error", err)
	}
}
