package sim

import (
	"fmt"
	"time"

	"github.com/blox/blox/internal/state"
)

// Options say what to keep of a run.
type Options struct {
	// Trace, if set, gets every line of the run's trace.
	Trace func(line string)
	// Tail is how many of the last lines the result holds.
	Tail int
}

// Result is what became of a run.
type Result struct {
	Seed      uint64
	Violation *Violation // nil if every invariant held
	// Hash is of the whole trace: equal seeds give equal hashes.
	Hash  uint64
	Steps int
	// Virtual is how long the run lasted in its own time.
	Virtual time.Duration
	// Met counts what the run met.
	Met  map[string]int
	Tail string
}

// Run simulates the world of a seed.
func Run(seed uint64, o Options) Result {
	w := newWorld(seed, o)
	w.prepare()
	w.schedules()
	w.operate()
	w.runUntil(epoch.Add(w.p.chaos), nil)
	w.settle()
	w.comeToRest()
	if w.member != nil && w.f.memberStaysAway {
		w.comeBack()
	}
	if w.f.outlives {
		w.outlive()
	}
	w.abandon()
	return Result{
		Seed: seed, Violation: w.violation, Hash: w.tracer.hash, Steps: w.steps, Virtual: w.now.Sub(epoch), Met: w.counts,
		Tail: w.tracer.tail(),
	}
}

// comeToRest lets the world come to rest, and checks what it is then.
func (w *world) comeToRest() {
	if w.violation != nil {
		return
	}
	w.runUntil(w.rest.began.Add(restWithin), w.rested)
	if w.violation == nil && !w.rested() {
		w.explain()
		w.violate(5, "not at rest %s after the faults stopped: %s", restWithin, w.rest.why)
	}
	for _, check := range []func(){w.checkEvents, w.checkTruth, w.checkFeed, w.checkReaders} {
		if w.violation == nil {
			check()
		}
	}
}

// again begins to wait for another rest.
func (w *world) again() {
	w.rest.began, w.rest.since, w.rest.sweeps = w.now, time.Time{}, map[state.ClusterKey]int{}
}

// comeBack is the second place's ECS answering again: what was missed of it is to be made good.
func (w *world) comeBack() {
	if w.violation != nil {
		return
	}
	w.met("member: back after everything else was at rest")
	w.member.awayUntil = time.Time{}
	w.again()
	w.comeToRest()
}

// checkTruth compares what was heard from ECS with what the simulator holds: a check of the checks.
func (w *world) checkTruth() {
	for _, p := range w.places {
		w.checkTruthOf(p)
	}
}

func (w *world) checkTruthOf(p *place) {
	held := p.ecs.Snapshot()
	for _, t := range held.Tasks {
		known := w.truth.tasks[t.ARN]
		if known == nil || known.version != t.Version || known.last != t.LastStatus || known.desired != t.DesiredStatus || known.machine != t.EC2InstanceID {
			panic(fmt.Sprintf("sim: seed %d: ECS holds %+v, heard was %+v", w.seed, t, known))
		}
	}
	for _, h := range held.Hosts {
		known := w.truth.hosts[h.ARN]
		if known == nil || known.version != h.Version || known.status != h.Status || known.connected != h.AgentConnected {
			panic(fmt.Sprintf("sim: seed %d: ECS holds %+v, heard was %+v", w.seed, h, known))
		}
	}
}
