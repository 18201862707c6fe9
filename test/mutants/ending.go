package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// An ending is how one run of the simulation ended.
type ending struct {
	passed    bool
	violation *violation // nil when it passed, and when it ended in another way
	seedsRun  int        // the one that found the violation included
	err       error      // nil when it passed
	output    string     // the last of what it printed
}

// A violation is the first broken invariant that the simulation reports.
type violation struct {
	seed      int
	invariant int
	what      string
}

// The line that internal/sim/cmd/sim prints before it exits with 1.
var violationLine = regexp.MustCompile(`(?m)^seed (\d+): invariant (\d+): (.*)$`)

// readEnding reads the end of a simulation from the error that running it gave
// and from its output. Only a failing exit with the line of a violation is one:
// a panic or a timeout is a fault too, but no invariant has seen it.
func readEnding(err error, output string, first int) ending {
	if err == nil {
		return ending{passed: true, output: output}
	}
	e := ending{err: err, output: output}
	found := violationLine.FindStringSubmatch(output)
	var exit *exec.ExitError
	if found == nil || !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return e
	}
	seed, seedErr := strconv.Atoi(found[1])
	invariant, invariantErr := strconv.Atoi(found[2])
	if seedErr != nil || invariantErr != nil {
		return e
	}
	e.violation = &violation{seed: seed, invariant: invariant, what: found[3]}
	e.seedsRun = seed - first + 1
	return e
}

// describe says in a line how the simulation ended; where that is no
// violation, the last lines of the output follow, for they are all there is.
func (e ending) describe() string {
	switch {
	case e.passed:
		return "the simulation passed"
	case e.violation != nil:
		return fmt.Sprintf("invariant %d at seed %d, after %d seeds: %s",
			e.violation.invariant, e.violation.seed, e.seedsRun, e.violation.what)
	default:
		return fmt.Sprintf("the simulation ended without naming an invariant: %v\n%s", e.err, lastLines(e.output))
	}
}

// lastLines are the last lines of a text, indented.
func lastLines(text string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-most):]
	return "    " + strings.Join(lines, "\n    ")
}

// tail is a writer that keeps the end of what is written: a mutant may make
// the simulation print for ever.
type tail struct{ kept []byte }

const tailBytes = 1 << 20

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	// Cut at twice the size, so that the copying stays in proportion.
	if len(t.kept) > 2*tailBytes {
		t.kept = append([]byte(nil), t.kept[len(t.kept)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept) }
