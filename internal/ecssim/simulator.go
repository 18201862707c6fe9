package ecssim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// Simulator is one account in one Region. It is not safe for concurrent use: Server guards it with a mutex, a simulation
// owns it alone.
type Simulator struct {
	cfg   Config
	now   time.Time
	seq   uint64 // orders everything that was ever created; List pages by it
	steps timers
	bus   bus

	// Three independent streams, so that switching a fault on does not change the ids and delays of everything after it.
	ids    *rand.Rand
	pace   *rand.Rand
	chance *rand.Rand

	faults   *Faults
	buckets  map[category]*bucket
	clusters map[string]*cluster
	// clusterOrder and familyOrder give List calls their order; maps have none.
	clusterOrder []*cluster
	families     map[string]*family
	familyOrder  []string
}

// New returns an empty account at the given time.
func New(cfg Config, now time.Time) *Simulator {
	cfg = cfg.withDefaults()
	s := &Simulator{
		cfg: cfg, now: milliseconds(now),
		ids:    rand.New(rand.NewPCG(cfg.Seed, 1)),
		pace:   rand.New(rand.NewPCG(cfg.Seed, 2)),
		chance: rand.New(rand.NewPCG(cfg.Seed, 3)),
		faults: newFaults(), buckets: map[category]*bucket{},
		clusters: map[string]*cluster{}, families: map[string]*family{},
	}
	return s
}

// Advance runs every transition due up to now, in order, and returns the events the bus has delivered since the last
// call, those of API calls included, ordered by delivery.
func (s *Simulator) Advance(now time.Time) []Event {
	s.runDue(now)
	return s.bus.deliver(s.now)
}

// NextDue is the time of the next transition or event delivery; false if nothing will ever happen by itself.
func (s *Simulator) NextDue() (time.Time, bool) {
	due, ok := s.bus.next()
	if len(s.steps) > 0 && (!ok || s.steps[0].due.Before(due)) {
		due, ok = s.steps[0].due, true
	}
	return due, ok
}

// Faults is the switchboard of everything that can go wrong.
func (s *Simulator) Faults() *Faults { return s.faults }

// runDue moves the clock to now; a clock that runs backwards is held at the latest time seen, for versions and
// timestamps of ECS never go back.
func (s *Simulator) runDue(now time.Time) {
	now = milliseconds(now)
	for len(s.steps) > 0 && !s.steps[0].due.After(now) {
		step := heap.Pop(&s.steps).(timer)
		s.setNow(step.due)
		step.run()
	}
	s.setNow(now)
}

func (s *Simulator) setNow(now time.Time) {
	if now.After(s.now) {
		s.now = now
	}
}

// after schedules a transition. At least a millisecond passes, so that no chain of transitions can hold the clock still.
func (s *Simulator) after(delay time.Duration, run func()) {
	delay = max(delay, time.Millisecond)
	heap.Push(&s.steps, timer{due: milliseconds(s.now.Add(delay)), seq: s.nextSeq(), run: run})
}

// jittered draws a delay around the configured one.
func (s *Simulator) jittered(delay time.Duration) time.Duration {
	if s.cfg.Delays.Jitter == 0 {
		return delay
	}
	return time.Duration(float64(delay) * (1 + s.cfg.Delays.Jitter*(2*s.pace.Float64()-1)))
}

func (s *Simulator) nextSeq() uint64 {
	s.seq++
	return s.seq
}

// newID is a resource id as ECS makes them: 32 hex digits.
func (s *Simulator) newID() string {
	return fmt.Sprintf("%016x%016x", s.ids.Uint64(), s.ids.Uint64())
}

func (s *Simulator) newUUID() string {
	a, b := s.ids.Uint64(), s.ids.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

func (s *Simulator) arn(kind, path string) string {
	return fmt.Sprintf("arn:%s:ecs:%s:%s:%s/%s", s.cfg.Partition, s.cfg.Region, s.cfg.Account, kind, path)
}

// milliseconds is the resolution of every timestamp of ECS.
func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// timer is a transition that will happen; seq keeps those of the same millisecond in the order they were scheduled.
type timer struct {
	due time.Time
	seq uint64
	run func()
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].due.Before(t[j].due) || t[i].due.Equal(t[j].due) && t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	(*t)[len(*t)-1] = timer{}
	*t = (*t)[:len(*t)-1]
	return last
}
