package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terminal is where a command writes, read meanwhile by a test.
type terminal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func TestLocalThatCannotStartIsOneSentenceAndExitCode2(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	addr := taken.Addr().String()
	for name, tc := range map[string]struct {
		args string
		says string
	}{
		"an unknown flag":    {"local --nope", "blox: unknown flag: --nope; see blox local --help\n"},
		"a flag's value":     {"local --instances many", "invalid argument \"many\" for \"--instances\" flag"},
		"too many instances": {"local --instances 5001", "blox: 5001 instances: allowed are 0 to 5000\n"},
		"an unknown store":   {"local --store disk", "blox: store \"disk\" is unknown: allowed are memory and dynamodb\n"},
		"an argument":        {"local now", "blox: 1 arguments: want blox local [flags]"},
		"a taken port":       {"local --addr 127.0.0.1:0 --ecs-addr " + addr, "blox: the ECS simulator cannot listen on " + addr + ": the port is taken by another program; stop that one or choose another with --ecs-addr HOST:PORT\n"},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRootCommand()
			var stdout, stderr bytes.Buffer
			root.SetOut(&stdout)
			require.Equal(t, exitUsage, run(t.Context(), root, strings.Fields(tc.args), &stderr))
			require.Contains(t, stderr.String(), tc.says)
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
			require.Empty(t, stdout.String())
		})
	}
}

func TestLocalRunsUntilInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	root := newRootCommand()
	stdout, stderr := &terminal{}, &terminal{}
	root.SetOut(stdout)
	root.SetErr(stderr)
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, root, strings.Fields("local --addr 127.0.0.1:0 --ecs-addr 127.0.0.1:0 --instances 3"), stderr)
	}()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		require.Contains(c, stdout.String(), "daemon log-agent on 3 of 3 hosts")
	}, time.Minute, 50*time.Millisecond)
	interrupt()
	select {
	case got := <-code:
		require.Equal(t, exitOK, got, stderr.String())
	case <-time.After(time.Minute):
		require.Fail(t, "blox local does not end")
	}
	require.Empty(t, stderr.String(), "nothing went wrong")
}
