// Command sim runs Blox on virtual time over many seeds and checks its invariants:
//
//	go run ./internal/sim/cmd/sim -seeds 200
//	go run ./internal/sim/cmd/sim -first 17 -seeds 1 -trace
//
// Exit codes: 0 every invariant held; 1 one was broken, and a line says "seed N: invariant I: what"; 2 wrong arguments;
// 3 every invariant held, but 200 seeds or more did not meet everything that they are for (sim.MustMeet).
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/blox/blox/internal/sim"
)

const (
	exitBroken = 1
	exitUsage  = 2
	exitNotMet = 3

	// tailLines of the timeline are shown of a run that broke an invariant.
	tailLines = 150
	// enoughSeeds is from how many on everything must have been met.
	enoughSeeds = 200
)

func main() {
	// A run makes much garbage and keeps little of it: memory is cheaper here than time.
	debug.SetGCPercent(400)
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

func command(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	seeds := flags.Int("seeds", enoughSeeds, "how many `seeds` to run")
	first := flags.Uint64("first", 1, "first `seed`")
	trace := flags.Bool("trace", false, "print the whole trace of every run")
	verbose := flags.Bool("v", false, "print a line for every seed")
	workers := flags.Int("workers", runtime.GOMAXPROCS(0), "how many runs at a time; each uses one `core`")
	if err := flags.Parse(args); err != nil {
		return exitUsage // flag has said what was wrong
	}
	if *seeds < 1 || *workers < 1 || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "sim: -seeds and -workers must be 1 or more, and nothing may follow the flags")
		return exitUsage
	}
	options := sim.Options{Tail: tailLines}
	if *trace {
		*workers = 1
		options = sim.Options{Trace: func(line string) { fmt.Fprintln(stdout, line) }}
	}

	began := time.Now()
	total := newSummary()
	for r := range runs(*first, *seeds, *workers, options) {
		if *verbose {
			fmt.Fprintf(stdout, "seed %d: hash %016x, %d steps, %s\n", r.Seed, r.Hash, r.Steps, r.Virtual.Round(time.Second))
		}
		if v := r.Violation; v != nil {
			fmt.Fprintf(stdout, "%s\nseed %d: invariant %d: %s\n", r.Tail, r.Seed, v.Invariant, v.What)
			fmt.Fprintf(stdout, "at %s of the run; the whole of it: go run ./internal/sim/cmd/sim -first %d -seeds 1 -trace\n", v.At.Format("15:04:05.000"), r.Seed)
			return exitBroken
		}
		total.add(r)
	}
	fmt.Fprintf(stdout, "%d seeds from %d: every invariant held; %d steps, %s of virtual time in %s\n",
		*seeds, *first, total.steps, total.virtual.Round(time.Minute), time.Since(began).Round(100*time.Millisecond))
	total.print(stdout)
	if missing := sim.NotMet(total.met); len(missing) > 0 && *seeds >= enoughSeeds {
		fmt.Fprintf(stderr, "sim: the runs did not meet what they are for: %q\n", missing)
		return exitNotMet
	}
	return 0
}

// runs simulates seeds, several at a time, and gives their results in the order of the seeds.
func runs(first uint64, seeds, workers int, options sim.Options) func(yield func(sim.Result) bool) {
	return func(yield func(sim.Result) bool) {
		results := make([]chan sim.Result, seeds)
		for i := range results {
			results[i] = make(chan sim.Result, 1)
		}
		slots := make(chan struct{}, workers)
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for i := range results {
				select {
				case <-stop:
					return
				case slots <- struct{}{}:
				}
				go func() {
					results[i] <- sim.Run(first+uint64(i), options) //nolint:gosec // not negative
					<-slots
				}()
			}
		}()
		for _, result := range results {
			if !yield(<-result) {
				return
			}
		}
	}
}

// summary is of all runs.
type summary struct {
	met, runs map[string]int
	steps     int
	virtual   time.Duration
}

func newSummary() *summary { return &summary{met: map[string]int{}, runs: map[string]int{}} }

func (s *summary) add(r sim.Result) {
	for what, n := range r.Met {
		s.met[what] += n
		s.runs[what]++
	}
	s.steps += r.Steps
	s.virtual += r.Virtual
}

func (s *summary) print(out io.Writer) {
	for _, what := range slices.Sorted(maps.Keys(s.met)) {
		fmt.Fprintf(out, "%9d in %4d runs  %s\n", s.met[what], s.runs[what], what)
	}
}
