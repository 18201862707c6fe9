package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// A runner builds the simulation with a mutant in it and runs it.
type runner struct {
	root       string // of the module under test
	simulation string // package of the simulation command, as `go build` takes it
	seeds      int
	first      int
	timeout    time.Duration // of one simulation
}

// A verdict says what became of a mutant.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	wrong    verdict = "WRONG"    // killed, but by an invariant not meant for it
	unusable verdict = "UNUSABLE" // no judgement possible
)

// exitCode of a whole run is the highest of its mutants'.
func (v verdict) exitCode() int {
	switch v {
	case killed:
		return 0
	case survived, wrong:
		return exitSurvived
	default:
		return exitUnusable
	}
}

// run judges every mutant, prints a line for each as soon as it is known, and
// returns the exit code. An error means that no mutant could be judged.
func (r runner) run(ctx context.Context, table []mutant, stdout io.Writer) (int, error) {
	if err := validateAll(table); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "blox-mutants-")
	if err != nil {
		return 0, fmt.Errorf("making a directory for the mutants: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory; nothing depends on its going

	baseline := filepath.Join(dir, "baseline")
	if err := r.build(ctx, baseline, ""); err != nil {
		return 0, fmt.Errorf("building the simulation without a mutant: %w", err)
	}
	started := time.Now()
	clean := r.simulate(ctx, baseline)
	if !clean.passed {
		// Every mutant would count as killed by the fault that is there already.
		return 0, fmt.Errorf("the simulation must pass without a mutant, but %s", clean.describe())
	}
	fmt.Fprintf(stdout, "%-9s without a mutant, %d seeds in %s\n", "passed", r.seeds, since(started))

	code := 0
	for _, m := range table {
		started := time.Now()
		v, why := r.judge(ctx, m, dir, baseline)
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("stopped while running mutant %q: %w", m.name, err)
		}
		fmt.Fprintf(stdout, "%-9s %s: %s (%s)\n", v, m.name, why, since(started))
		code = max(code, v.exitCode())
	}
	return code, nil
}

// since is the time passed, as people want to read it.
func since(started time.Time) time.Duration {
	return time.Since(started).Round(100 * time.Millisecond)
}

// judge builds the simulation with m in it, runs it, and says what became of m
// and why.
func (r runner) judge(ctx context.Context, m mutant, dir, baseline string) (verdict, string) {
	overlay, err := r.overlay(m, dir)
	if err != nil {
		return unusable, err.Error()
	}
	binary := filepath.Join(dir, "mutated")
	if err := r.build(ctx, binary, overlay); err != nil {
		return unusable, fmt.Sprintf("building the simulation with it: %v", err)
	}
	same, err := sameFile(baseline, binary)
	if err != nil {
		return unusable, err.Error()
	}
	if same {
		return unusable, fmt.Sprintf("%s compiles to the same program without it: %s is not part of it, or the change is none",
			r.simulation, m.file)
	}

	end := r.simulate(ctx, binary)
	switch {
	case end.passed:
		return survived, fmt.Sprintf("%d seeds found nothing", r.seeds)
	case end.violation == nil:
		return unusable, end.describe()
	case !slices.Contains(m.killedBy, end.violation.invariant):
		return wrong, fmt.Sprintf("%s; meant to be found by %v", end.describe(), m.killedBy)
	default:
		return killed, end.describe()
	}
}

// overlay writes the mutated file into dir and returns the path of the JSON
// that makes the compiler read it in place of the original.
func (r runner) overlay(m mutant, dir string) (string, error) {
	content, err := m.mutate(r.root)
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(dir, "mutated.go")
	original := filepath.Join(r.root, filepath.FromSlash(m.file))
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		return "", fmt.Errorf("encoding the overlay of mutant %q: %w", m.name, err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := errors.Join(os.WriteFile(mutated, content, 0o600), os.WriteFile(path, list, 0o600)); err != nil {
		return "", fmt.Errorf("writing the overlay of mutant %q: %w", m.name, err)
	}
	return path, nil
}

// build compiles the simulation into the file binary, through the overlay if
// there is one.
func (r runner) build(ctx context.Context, binary, overlay string) error {
	args := []string{"build", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, r.simulation)...)
	cmd.Dir = r.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// simulate runs a built simulation over all seeds and reads how it ended.
func (r runner) simulate(ctx context.Context, binary string) ending {
	limited, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, binary, "-seeds", strconv.Itoa(r.seeds), "-first", strconv.Itoa(r.first))
	cmd.Dir = r.root
	// One that ignores its end, or leaves a child holding the pipe, is not waited for.
	cmd.WaitDelay = 5 * time.Second
	var output tail
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("no end within %s", r.timeout)
	}
	return readEnding(err, output.String(), r.first)
}

// sameFile tells whether two built programs are the same, byte for byte. Go's
// builds repeat, so two that differ in any source they contain differ too.
func sameFile(a, b string) (bool, error) {
	one, err := os.ReadFile(a)
	if err != nil {
		return false, fmt.Errorf("comparing the built programs: %w", err)
	}
	other, err := os.ReadFile(b)
	if err != nil {
		return false, fmt.Errorf("comparing the built programs: %w", err)
	}
	return bytes.Equal(one, other), nil
}
