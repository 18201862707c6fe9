// Command mutants proves that the simulation finds faults: it puts known ones
// into the product, one at a time, and demands that the simulation stops at an
// invariant that is meant to catch it. A simulation that passes everything
// looks just like a product without faults; this tells the two apart.
//
// The work tree is never touched. The altered file lies in a temporary
// directory and the compiler is told of it by `go build -overlay`.
//
//	go run ./test/mutants                      every mutant
//	go run ./test/mutants -only "lease ignored"
//
// Exit codes: 0 every mutant was killed by an invariant named for it; 1 one
// survived, or was killed by another invariant; 2 no judgement was possible (a
// mutant that no longer applies or does not compile, a simulation that fails
// without a mutant, or ends other than by an invariant).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

const (
	exitSurvived = 1
	exitUnusable = 2
)

func main() {
	// Ctrl-C ends the running simulation and lets the deferred clean-up happen.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command parses the arguments, runs the table and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var r runner
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&r.seeds, "seeds", 200, "how many `seeds` a mutant may survive before it counts as survived")
	flags.IntVar(&r.first, "first", 1, "first `seed`")
	flags.DurationVar(&r.timeout, "timeout", 5*time.Minute, "the longest one simulation may take")
	flags.StringVar(&r.simulation, "sim", "./internal/sim/cmd/sim", "`package` of the simulation command")
	only := flags.String("only", "", "run only the mutant of this `name`")
	if err := flags.Parse(args); err != nil {
		return exitUnusable // flag has printed what was wrong
	}
	if r.seeds < 1 || r.first < 0 || r.timeout <= 0 || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "mutants: -seeds must be 1 or more, -first 0 or more, -timeout more than 0, and nothing may follow the flags")
		return exitUnusable
	}

	chosen, err := choose(mutants, *only)
	if err == nil {
		r.root, err = moduleRoot(ctx)
	}
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return exitUnusable
	}
	code, err := r.run(ctx, chosen, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return exitUnusable
	}
	return code
}

// choose returns the whole table, or the one mutant that is asked for.
func choose(table []mutant, only string) ([]mutant, error) {
	if only == "" {
		return table, nil
	}
	names := make([]string, 0, len(table))
	for _, m := range table {
		if m.name == only {
			return []mutant{m}, nil
		}
		names = append(names, fmt.Sprintf("%q", m.name))
	}
	return nil, fmt.Errorf("no mutant is named %q; there are %s", only, strings.Join(names, ", "))
}

// moduleRoot finds the module the command is run in, so that it works from
// every folder of it.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking go for the module's root: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("not inside a Go module: run this in the Blox repository")
	}
	return filepath.Dir(mod), nil
}
