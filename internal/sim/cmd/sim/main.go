// Command sim runs Blox on virtual time over many seeds and checks its invariants:
//
//	go run ./internal/sim/cmd/sim -seeds 200
//	go run ./internal/sim/cmd/sim -first 17 -seeds 1 -trace
//
// It ends with 1 if an invariant was broken, and then a line says "seed N: invariant I: what".
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/blox/blox/internal/sim"
)

// tailLines of the timeline are shown of a run that broke an invariant.
const tailLines = 150

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

func command(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	seeds := flags.Int("seeds", 200, "how many `seeds` to run")
	first := flags.Uint64("first", 1, "first `seed`")
	trace := flags.Bool("trace", false, "print the whole trace of every run")
	verbose := flags.Bool("v", false, "print a line for every seed")
	if err := flags.Parse(args); err != nil {
		return 2 // flag has said what was wrong
	}
	if *seeds < 1 || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "sim: -seeds must be 1 or more, and nothing may follow the flags")
		return 2
	}
	began := time.Now()
	met := map[string]int{}
	runs := map[string]int{}
	steps, virtual := 0, time.Duration(0)
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		started := time.Now()
		options := sim.Options{Tail: tailLines}
		if *trace {
			options = sim.Options{Trace: func(line string) { fmt.Fprintln(stdout, line) }}
		}
		r := sim.Run(seed, options)
		if *verbose {
			fmt.Fprintf(stdout, "seed %d: hash %016x, %d steps, %s virtual in %s\n", seed, r.Hash, r.Steps, r.Virtual, time.Since(started).Round(time.Millisecond))
		}
		if v := r.Violation; v != nil {
			fmt.Fprintf(stdout, "%s\nseed %d: invariant %d: %s\n", r.Tail, seed, v.Invariant, v.What)
			fmt.Fprintf(stdout, "at %s of the run; the whole of it: go run ./internal/sim/cmd/sim -first %d -seeds 1 -trace\n", v.At.Format("15:04:05.000"), seed)
			return 1
		}
		for what, n := range r.Met {
			met[what] += n
			runs[what]++
		}
		steps += r.Steps
		virtual += r.Virtual
	}
	fmt.Fprintf(stdout, "%d seeds from %d: every invariant held; %d steps, %s of virtual time in %s\n",
		*seeds, *first, steps, virtual.Round(time.Hour), time.Since(began).Round(100*time.Millisecond))
	for _, what := range slices.Sorted(maps.Keys(met)) {
		fmt.Fprintf(stdout, "%9d in %4d runs  %s\n", met[what], runs[what], what)
	}
	return 0
}
