package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exitWith is the error of a process that ended with the code.
func exitWith(t *testing.T, code string) error {
	t.Helper()
	err := exec.CommandContext(t.Context(), "sh", "-c", "exit "+code).Run()
	require.Error(t, err)
	return err
}

func TestReadEnding(t *testing.T) {
	const line = "seed 11 runs\nseed 12: invariant 3: healthy went to 2\nhistory\n"

	require.True(t, readEnding(nil, "", 1).passed)

	end := readEnding(exitWith(t, "1"), line, 10)
	require.False(t, end.passed)
	require.Equal(t, &violation{seed: 12, invariant: 3, what: "healthy went to 2"}, end.violation)
	require.Equal(t, 3, end.seedsRun)

	for name, e := range map[string]struct {
		err    error
		output string
	}{
		"no line":           {exitWith(t, "1"), "seed 11 runs\n"},
		"not at line start": {exitWith(t, "1"), "log: seed 12: invariant 3: x\n"},
		"another exit code": {exitWith(t, "2"), line},
		"not run at all":    {errors.New("exec format error"), line},
		"a number too big":  {exitWith(t, "1"), "seed 12: invariant 99999999999999999999: x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			end := readEnding(e.err, e.output, 1)
			require.False(t, end.passed)
			require.Nil(t, end.violation)
			require.Contains(t, end.describe(), "without naming an invariant")
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for range 5 {
		n, err := kept.Write([]byte(strings.Repeat("x", tailBytes)))
		require.NoError(t, err)
		require.Equal(t, tailBytes, n)
	}
	_, err := kept.Write([]byte("the end"))
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(kept.String(), "xthe end"))
	require.LessOrEqual(t, len(kept.String()), 2*tailBytes)
}
