package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandRunsSeeds(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, command([]string{"-seeds", "2", "-first", "5", "-v"}, &stdout, &stderr))
	require.Empty(t, stderr.String())
	require.Regexp(t, `^seed 5: hash [0-9a-f]{16}, [0-9]+ steps, .*\nseed 6: hash .*\n2 seeds from 5: every invariant held; `, stdout.String())
	require.Regexp(t, ` +[0-9]+ in +2 runs  action start\n`, stdout.String())
}

func TestTraceHasALineForEveryStep(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, command([]string{"-seeds", "1", "-first", "5", "-trace"}, &stdout, &stderr))
	require.Regexp(t, `\n[0-9:.]{15} drive#[0-9]+ ecs\.RunTask blox/`, stdout.String())
}

func TestCommandRefusesBadArguments(t *testing.T) {
	for name, args := range map[string][]string{
		"no seeds":      {"-seeds", "0"},
		"no workers":    {"-workers", "0"},
		"negative seed": {"-first", "-1"},
		"unknown flag":  {"-sedes", "3"},
		"stray word":    {"seeds"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, exitUsage, command(args, &stdout, &stderr))
			require.NotEmpty(t, stderr.String())
			require.Empty(t, stdout.String())
		})
	}
}
