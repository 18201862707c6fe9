package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A mutant that no longer applies is found here, in seconds, by whoever moves
// the code it alters, and not by the slow run.
func TestEveryMutantOfTheTableAppliesToTheTree(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	require.NoError(t, validateAll(mutants))
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			require.Equal(t, ".go", filepath.Ext(m.file))
			_, err := m.mutate(root)
			require.NoError(t, err)
			for _, invariant := range m.killedBy {
				require.True(t, 1 <= invariant && invariant <= 8, "the design has invariants 1 to 8, not %d", invariant)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	whole := mutant{name: "n", file: "a/b.go", old: "x", new: "y", killedBy: []int{1}}
	require.NoError(t, validateAll([]mutant{whole}))

	tests := map[string]struct {
		change func(*mutant)
		want   string
	}{
		"no name":         {func(m *mutant) { m.name = "" }, `the mutant of file "a/b.go" has no name`},
		"no file":         {func(m *mutant) { m.file = "" }, `mutant "n" names no file`},
		"no old text":     {func(m *mutant) { m.old = "" }, `mutant "n" names no file and no text`},
		"above the root":  {func(m *mutant) { m.file = "../b.go" }, "below the module's root"},
		"an absolute one": {func(m *mutant) { m.file = "/b.go" }, "below the module's root"},
		"no change":       {func(m *mutant) { m.new = m.old }, "changes nothing"},
		"no invariant":    {func(m *mutant) { m.killedBy = nil }, "names no invariant"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := whole
			tt.change(&m)
			require.ErrorContains(t, validateAll([]mutant{m}), tt.want)
		})
	}
	require.ErrorContains(t, validateAll([]mutant{whole, whole}), `two mutants are named "n"`)
	require.ErrorContains(t, validateAll(nil), "there is no mutant to run")
}

func TestChoose(t *testing.T) {
	table := []mutant{{name: "one"}, {name: "two"}}
	all, err := choose(table, "")
	require.NoError(t, err)
	require.Equal(t, table, all)

	one, err := choose(table, "two")
	require.NoError(t, err)
	require.Equal(t, table[1:], one)

	_, err = choose(table, "three")
	require.EqualError(t, err, `no mutant is named "three"; there are "one", "two"`)
}

func TestCommandRefusesBadArguments(t *testing.T) {
	for name, args := range map[string][]string{
		"no seeds":       {"-seeds", "0"},
		"negative seed":  {"-first", "-1"},
		"no time":        {"-timeout", "0s"},
		"unknown flag":   {"-sedes", "3"},
		"stray word":     {"lease ignored"},
		"unknown mutant": {"-only", "no such mutant"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, exitUnusable, command(t.Context(), args, &stdout, &stderr))
			require.NotEmpty(t, stderr.String())
			require.Empty(t, stdout.String())
		})
	}
}
