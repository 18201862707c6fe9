package sim

import (
	"math/rand/v2"
	"time"
)

// profile is what a seed makes of the world. Each kind of fault is on in some runs and off in others, for a run with all
// of them hides what one alone would show.
type profile struct {
	chaos time.Duration // how long the faults and the operators last
	pace  time.Duration // between two steps of the operators, on average
	hosts int           // at first
	// mostHosts are registered at once: time is spent on more runs and not on more of the same.
	mostHosts int

	minimumHealthyPercent, minHealthySeconds int
	environments                             int

	// Of each event: the bus may drop it, double it, deliver it late or out of order.
	drop, double, late, reorder float64
	maxLate                     time.Duration
	outages                     float64 // of each operator's step: the bus is down for minutes
	// Of each call of a function: refused before the work, answer lost after it, made twice by a client that retries.
	refuse, lose, twice float64
	crash               float64 // of each call: the process is dead right after it
	slow, paused        float64 // of each call: it takes seconds; longer than a lease
	pausedStops         float64 // of each claim of a stop: it is paused longer than a lease
	queueDouble         float64 // of each message of a standard queue
	streamDouble        float64 // of each batch of the stream
	indexLag            time.Duration
	consistencyLag      time.Duration
	malformed           float64 // of each operator's step
}

func newProfile(r *rand.Rand) profile {
	// some is 0 in about half of all runs, else up to most.
	some := func(most float64) float64 {
		if r.Float64() < 0.45 {
			return 0
		}
		return most * (0.2 + 0.8*r.Float64())
	}
	span := func(from, to time.Duration) time.Duration { return from + time.Duration(r.Int64N(int64(to-from)+1)) }
	pick := func(values ...int) int { return values[r.IntN(len(values))] }
	return profile{
		chaos: span(10*time.Minute, 22*time.Minute), pace: span(15*time.Second, 60*time.Second),
		hosts: pick(3, 4, 5, 6, 7, 8, 10), mostHosts: pick(8, 10, 10, 12, 20),
		minimumHealthyPercent: pick(0, 50, 50, 66, 75, 75, 90, 100), minHealthySeconds: pick(0, 5, 10, 30),
		environments: pick(1, 1, 2),
		drop:         some(0.2), double: some(0.2), late: some(0.15), reorder: some(0.5), maxLate: span(10*time.Second, 3*time.Minute),
		outages: some(0.06), refuse: some(0.01), lose: some(0.01), twice: some(0.02), crash: some(0.008),
		slow: some(0.02), paused: some(0.004), pausedStops: some(0.45), queueDouble: some(0.1), streamDouble: some(0.1),
		indexLag: time.Duration(some(float64(5 * time.Second))), consistencyLag: time.Duration(some(float64(4 * time.Second))),
		malformed: some(0.1),
	}
}

// calm is the same world without faults.
func (p profile) calm() profile {
	return profile{
		chaos: p.chaos, pace: p.pace, hosts: p.hosts, mostHosts: p.mostHosts, environments: p.environments, consistencyLag: p.consistencyLag,
		minimumHealthyPercent: p.minimumHealthyPercent, minHealthySeconds: p.minHealthySeconds,
	}
}
