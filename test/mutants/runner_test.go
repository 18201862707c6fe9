package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The runner is tested on testdata/fake, a module with a product of two
// methods and a simulation of two invariants: versions never go back (only
// seeds divisible by three reorder), and at most one task is live.

const fakeStore = "store/store.go"

var (
	noVersionCheck = mutant{
		name: "no version check", file: fakeStore, killedBy: []int{1},
		old: "if version > s.Version {", new: "if version > 0 {",
	}
	noLiveCheck = mutant{
		name: "no live check", file: fakeStore, killedBy: []int{1, 2},
		old: "if s.Live < 1 {", new: "if s.Live < 2 {",
	}
	harmless = mutant{
		name: "harmless", file: fakeStore, killedBy: []int{1},
		old: "if version > s.Version {", new: "if version >= s.Version {",
	}
)

func fakeRunner(t *testing.T) runner {
	t.Helper()
	root, err := filepath.Abs("testdata/fake")
	require.NoError(t, err)
	return runner{root: root, simulation: "./cmd/sim", seeds: 5, first: 2, timeout: time.Minute}
}

func TestRun(t *testing.T) {
	tests := map[string]struct {
		mutants []mutant
		change  func(*runner)
		want    int
		prints  []string // regular expressions, in order
	}{
		"a mutant is killed by its invariant, with the seeds it took": {
			mutants: []mutant{noVersionCheck, noLiveCheck},
			want:    0,
			prints: []string{
				`^passed +without a mutant, 5 seeds in`,
				`\nkilled +no version check: invariant 1 at seed 3, after 2 seeds: the stored version went from 2 to 1 \(`,
				`\nkilled +no live check: invariant 2 at seed 2, after 1 seeds: 2 live tasks on one host \(`,
			},
		},
		"a mutant that changes nothing visible survives": {
			mutants: []mutant{harmless, noLiveCheck},
			want:    exitSurvived,
			prints:  []string{`\nSURVIVED +harmless: 5 seeds found nothing`, `\nkilled +no live check`},
		},
		"a mutant survives seeds that do not reach it": {
			mutants: []mutant{noVersionCheck},
			change:  func(r *runner) { r.first, r.seeds = 1, 2 },
			want:    exitSurvived,
			prints:  []string{`\nSURVIVED +no version check: 2 seeds found nothing`},
		},
		"being killed by an invariant not meant for it is no proof": {
			mutants: []mutant{{
				name: "misattributed", file: fakeStore, killedBy: []int{3, 6},
				old: noLiveCheck.old, new: noLiveCheck.new,
			}},
			want:   exitSurvived,
			prints: []string{`\nWRONG +misattributed: invariant 2 at seed 2.*; meant to be found by \[3 6\]`},
		},
		"text that is gone has rotted": {
			mutants: []mutant{
				{name: "gone", file: fakeStore, killedBy: []int{1}, old: "if version != s.Version {", new: ""},
				noLiveCheck,
			},
			want: exitUnusable,
			prints: []string{
				`\nUNUSABLE +gone: .*rotted: its old text occurs 0 times in store/store.go`,
				`\nkilled +no live check`,
			},
		},
		"text that stands twice is no exact place": {
			mutants: []mutant{{name: "twice", file: fakeStore, killedBy: []int{1}, old: "func (s *Store)", new: "func (s Store)"}},
			want:    exitUnusable,
			prints:  []string{`\nUNUSABLE +twice: .*rotted: its old text occurs 2 times`},
		},
		"a file that is not there": {
			mutants: []mutant{{name: "moved", file: "store/moved.go", killedBy: []int{1}, old: "x", new: "y"}},
			want:    exitUnusable,
			prints:  []string{`\nUNUSABLE +moved: reading the file of mutant "moved"`},
		},
		"a fault that the compiler finds": {
			mutants: []mutant{{
				name: "type error", file: fakeStore, killedBy: []int{1},
				old: noLiveCheck.old, new: `if s.Live < "1" {`,
			}},
			want:   exitUnusable,
			prints: []string{`\nUNUSABLE +type error: building the simulation with it: go build: exit status 1`, `mutated\.go:20`},
		},
		"a file that the simulation does not contain": {
			mutants: []mutant{{name: "elsewhere", file: "unused/unused.go", killedBy: []int{1}, old: "42", new: "43"}},
			want:    exitUnusable,
			prints:  []string{`\nUNUSABLE +elsewhere: ./cmd/sim compiles to the same program without it: unused/unused.go`},
		},
		"a panic is no invariant": {
			mutants: []mutant{{
				name: "panics", file: fakeStore, killedBy: []int{1},
				old: noLiveCheck.old, new: `if panic("lost my head"); s.Live < 1 {`,
			}},
			want:   exitUnusable,
			prints: []string{`\nUNUSABLE +panics: .*without naming an invariant: exit status 2`, `panic: lost my head`},
		},
		"a simulation that does not end is ended": {
			mutants: []mutant{{
				name: "hangs", file: fakeStore, killedBy: []int{1},
				old: noLiveCheck.old, new: "for s.Live == 0 {\n}\nif s.Live < 1 {",
			}},
			change: func(r *runner) { r.timeout = time.Second },
			want:   exitUnusable,
			prints: []string{`\nUNUSABLE +hangs: .*without naming an invariant: no end within 1s`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := fakeRunner(t)
			if tt.change != nil {
				tt.change(&r)
			}
			var out bytes.Buffer
			code, err := r.run(t.Context(), tt.mutants, &out)
			require.NoError(t, err)
			require.Equal(t, tt.want, code, out.String())
			for _, line := range tt.prints {
				require.Regexp(t, line, out.String())
			}
		})
	}
}

func TestRunLeavesTheTreeAsItIs(t *testing.T) {
	r := fakeRunner(t)
	before, err := os.ReadFile(filepath.Join(r.root, fakeStore))
	require.NoError(t, err)
	_, err = r.run(t.Context(), []mutant{noLiveCheck}, &bytes.Buffer{})
	require.NoError(t, err)
	after, err := os.ReadFile(filepath.Join(r.root, fakeStore))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

func TestRunRemovesWhatItBuilt(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	_, err := fakeRunner(t).run(t.Context(), []mutant{noLiveCheck}, &bytes.Buffer{})
	require.NoError(t, err)
	left, err := filepath.Glob(filepath.Join(temp, "blox-mutants-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestRunRefusesToJudge(t *testing.T) {
	t.Run("when the simulation fails without a mutant", func(t *testing.T) {
		r := fakeRunner(t)
		r.seeds, r.root = 5, brokenCopy(t, r.root)
		var out bytes.Buffer
		_, err := r.run(t.Context(), []mutant{noLiveCheck}, &out)
		require.ErrorContains(t, err, "must pass without a mutant, but invariant 1 at seed 3")
		require.Empty(t, out.String())
	})
	t.Run("when the simulation does not build", func(t *testing.T) {
		r := fakeRunner(t)
		r.simulation = "./cmd/elsewhere"
		_, err := r.run(t.Context(), []mutant{noLiveCheck}, &bytes.Buffer{})
		require.ErrorContains(t, err, "building the simulation without a mutant")
	})
	t.Run("when it is stopped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := fakeRunner(t).run(ctx, []mutant{noLiveCheck}, &bytes.Buffer{})
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("an unfilled table", func(t *testing.T) {
		_, err := fakeRunner(t).run(t.Context(), []mutant{noLiveCheck, {name: "to come"}}, &bytes.Buffer{})
		require.ErrorContains(t, err, `mutant "to come" names no file`)
	})
}

// brokenCopy is a copy of the fake module with a fault in it.
func brokenCopy(t *testing.T, root string) string {
	t.Helper()
	broken := t.TempDir()
	require.NoError(t, os.CopyFS(broken, os.DirFS(root)))
	content, err := noVersionCheck.mutate(broken)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(broken, fakeStore), content, 0o600))
	return broken
}
