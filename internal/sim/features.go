package sim

import (
	"math/rand/v2"
	"time"
)

// features are parts of the world that a seed has or has not: all of them in every run would take longer and show less.
type features struct {
	readers int           // who list or take a snapshot, and then watch
	queries time.Duration // between two lists, on average; 0 is none
	// member is a second account and region, with a cluster of the same name. memberAway takes its ECS away now and then,
	// and memberStaysAway until everything else has come to rest.
	member, memberStaysAway bool
	memberAway              float64 // of each step of its operators
	// crowd is how many tasks stand still in a cluster of their own, about which ECS answers nothing for a while: of many,
	// that must not be believed at once.
	crowd int
	// feedDeath is how often a dispatcher dies after it put a row of the feed, twins how often the stream gives a batch to
	// two dispatchers at once.
	feedDeath, twins float64
	// outlives: after the rest, days pass, and DynamoDB deletes what has expired.
	outlives bool
}

func newFeatures(r *rand.Rand) features {
	with := func(share float64) bool { return r.Float64() < share }
	var f features
	if with(0.6) {
		f.readers = 1 + r.IntN(3)
	}
	if with(0.4) {
		f.queries = time.Duration(4+r.IntN(20)) * time.Second
	}
	if f.member = with(0.25); f.member {
		f.memberAway, f.memberStaysAway = 0.3*r.Float64(), with(0.4)
	}
	if with(0.2) {
		f.crowd = []int{8, 60, 75}[r.IntN(3)]
	}
	if with(0.4) {
		f.feedDeath, f.twins = 0.1*r.Float64(), 0.2*r.Float64()
	}
	f.outlives = with(0.25)
	return f
}

// watched says that somebody reads, so that it has to be known what is to be read.
func (f features) watched() bool {
	return f.readers > 0 || f.queries > 0 || f.crowd > 0 || f.member || f.outlives
}
