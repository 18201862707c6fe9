package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/queue"
	queuememory "github.com/blox/blox/internal/queue/memory"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// world is one run.
type world struct {
	seed uint64
	now  time.Time
	p    profile
	// Independent streams of chance, so that a change in one place does not change everything else: how long things take,
	// whether a fault strikes, what operators do, and ids.
	pace, chance, plan, ids *rand.Rand
	// And of the parts that only some seeds have.
	membering, crowd, reading, feeding, lasting, rolling *rand.Rand

	timers      timers
	seq         uint64
	steps       int
	invocations int
	running     map[int]*invocation
	current     *invocation

	f            features
	s            scheduling
	alarms       alarms.Memory
	places       []*place          // the first is the installation's own
	member       *place            // the second; nil if there is none
	ecs          *ecssim.Simulator // of the first place
	db           *database
	transactions int
	state        *table.State
	daemon       *table.Daemon

	events, deadLetters, requests, wakeups *queuememory.Queue
	told                                   map[announcement]bool
	mappings                               []*mapping
	shards                                 [shards]*shard
	reconcilers, drivers, dispatchers, api *function

	bus     bus
	ops     operators
	truth   truth
	mirror  mirror
	blind   blindness
	readers []*reader
	lasted  lasted
	rest    rest
	cause   *request // of what ECS tells right now, nil if it was none of our calls
	tracer  tracer
	counts  map[string]int

	violation *Violation
}

func newWorld(seed uint64, o Options) *world {
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
	w := &world{
		seed: seed, now: epoch, pace: stream(1), chance: stream(2), plan: stream(3), ids: stream(4),
		running: map[int]*invocation{}, told: map[announcement]bool{}, counts: map[string]int{}, truth: newTruth(),
		tracer: tracer{keep: o.Tail, sink: o.Trace}, mirror: newMirror(),
	}
	w.p = newProfile(stream(5))
	w.f, w.s = newFeatures(stream(6)), newScheduling(stream(12))
	w.membering, w.crowd, w.reading, w.feeding, w.lasting = stream(7), stream(8), stream(9), stream(10), stream(11)
	w.rolling = stream(13)
	w.ecs = w.addPlace(account, region).ecs
	if w.f.member {
		w.member = w.addPlace(memberAccount, memberRegion)
	}
	w.db = &database{world: w, DB: memory.New(
		memory.WithClock(w.clock), memory.WithStream(w.changed), memory.WithIndexLag(w.indexLag),
	)}
	w.state = table.NewState(w.db, stateTable, state.DefaultVisibleFor)
	w.daemon = table.NewDaemon(w.db, daemonTable)
	w.connect()
	for _, t := range []struct {
		name string
		def  schema.Table
	}{{stateTable, schema.State}, {daemonTable, schema.Daemon}} {
		if err := table.Create(context.Background(), w.db.DB, t.name, t.def); err != nil {
			panic(err)
		}
	}
	return w
}

// delays are slower than the demo's: what takes long is overtaken more often.
func delays() ecssim.Delays {
	d := ecssim.DefaultDelays()
	d.Accept, d.Pull, d.Start, d.Health = 500*time.Millisecond, 3*time.Second, time.Second, 5*time.Second
	d.Stop, d.Kill = 2*time.Second, 30*time.Second
	d.Jitter = 0.6
	return d
}

func (w *world) clock() time.Time { return w.now }

func (w *world) indexLag(string, string) time.Duration {
	if w.p.indexLag == 0 || w.chance.Float64() < 0.7 {
		return time.Duration(w.pace.IntN(80)) * time.Millisecond
	}
	return time.Duration(w.pace.Int64N(int64(w.p.indexLag) + 1))
}

// Visibility timeouts. That of wake-ups is longer than a lease, as package drive asks.
const (
	eventVisibility   = time.Minute
	wakeupVisibility  = 90 * time.Second
	requestVisibility = 2 * time.Minute
)

// connect makes the queues and what reads them.
func (w *world) connect() {
	double := func(queue.Message) (time.Duration, bool) {
		if w.chance.Float64() >= w.p.queueDouble {
			return 0, false
		}
		w.met("message delivered twice by its queue")
		return time.Duration(w.pace.Int64N(int64(20 * time.Second))), true
	}
	w.deadLetters = queuememory.New(queuememory.Options{Now: w.clock})
	w.events = queuememory.New(queuememory.Options{
		Now: w.clock, Visibility: eventVisibility, MaxReceives: 1000, DeadLetter: w.deadLetters, Duplicate: double,
	})
	w.wakeups = queuememory.New(queuememory.Options{
		Now: w.clock, Visibility: wakeupVisibility, MaxReceives: 5, Duplicate: double,
		DeadLetter: queuememory.New(queuememory.Options{Now: w.clock}),
	})
	w.requests = queuememory.New(queuememory.Options{
		Now: w.clock, Visibility: requestVisibility, MaxReceives: 5, FIFO: true,
		DeadLetter: queuememory.New(queuememory.Options{Now: w.clock, FIFO: true}),
	})
	ingesters := &function{cold: w.newIngest}
	w.reconcilers, w.drivers = &function{cold: w.newReconcile}, &function{cold: w.newDrive}
	w.dispatchers, w.api = &function{cold: w.newDispatch}, &function{cold: w.newAPI}
	w.mappings = []*mapping{
		{
			world: w, name: "ingest", arn: queueARN("events"), queue: w.events, batch: 10, most: 3, function: ingesters,
			handle: func(ctx context.Context, p *process, payload []byte) (events.SQSEventResponse, error) {
				var event events.SQSEvent
				if err := json.Unmarshal(payload, &event); err != nil {
					return events.SQSEventResponse{}, err
				}
				return p.ingest.Handle(ctx, event)
			},
		},
		{
			world: w, name: "reconcile", arn: queueARN("requests.fifo"), queue: w.requests, batch: 1, most: 2, function: w.reconcilers,
			handle: func(ctx context.Context, p *process, payload []byte) (events.SQSEventResponse, error) {
				return p.reconcile.Handle(ctx, payload)
			},
		},
		{
			world: w, name: "drive", arn: queueARN("wakeups"), queue: w.wakeups, batch: 5, most: 4, function: w.drivers,
			handle: func(ctx context.Context, p *process, payload []byte) (events.SQSEventResponse, error) {
				return p.drive(ctx, payload)
			},
		},
	}
	for i := range w.shards {
		w.shards[i] = &shard{world: w}
	}
}

func queueARN(name string) string { return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", region, account, name) }

func (w *world) poll() {
	for _, m := range w.mappings {
		m.look()
	}
}

// schedules start the functions that run by the clock, at odd times and sometimes twice.
func (w *world) schedules() {
	w.schedule(reconcilePeriod, "sweep", func(ctx context.Context) error {
		p := w.reconcilers.take()
		_, err := p.reconcile.Handle(ctx, []byte(`{"source":"blox.schedule"}`))
		w.reconcilers.giveBack(p)
		return err
	})
	w.schedule(time.Minute, "tick", func(ctx context.Context) error {
		p := w.drivers.take()
		_, err := p.drive(ctx, []byte(`{"source":"blox.tick"}`))
		w.drivers.giveBack(p)
		return err
	})
}

func (w *world) schedule(period time.Duration, name string, run func(context.Context) error) {
	fire := func() { w.start(name, func(ctx context.Context) { _ = run(ctx) }, func(bool) {}) } // an error is the next one's
	var next func(at time.Time)
	next = func(at time.Time) {
		if at.Before(w.now) {
			at = w.now // days have passed
		}
		w.at(at.Add(time.Duration(w.pace.Int64N(int64(period/20)))), func() {
			fire()
			if w.p.queueDouble > 0 && w.chance.Float64() < 0.1 {
				w.met("schedule fired twice")
				w.after(time.Duration(w.pace.IntN(3000))*time.Millisecond, fire)
			}
			next(at.Add(period))
		})
	}
	next(w.now.Add(time.Second))
}

// met counts that something happened which a simulation should meet.
func (w *world) met(what string) { w.counts[what]++ }
