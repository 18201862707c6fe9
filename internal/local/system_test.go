package local

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

func TestStopLeavesNothingRunning(t *testing.T) {
	for name, demo := range map[string]bool{"empty": false, "with the demo": true} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			s, err := Start(t.Context(), Config{
				Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: 5, Store: StoreMemory, Demo: demo, Log: quiet,
			})
			require.NoError(t, err)
			require.NoError(t, s.Client().Ping(t.Context()))
			require.Greater(t, runtime.NumGoroutine(), before)
			require.NoError(t, s.Stop(t.Context()))
			require.NoError(t, s.Stop(t.Context()), "again is no harm")
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				stacks := make([]byte, 1<<16)
				// The condition itself runs in a goroutine of its own.
				require.LessOrEqual(c, runtime.NumGoroutine(), before+1, string(stacks[:runtime.Stack(stacks, true)]))
			}, 10*time.Second, 20*time.Millisecond)
			for _, url := range []string{s.APIURL(), s.ECSURL()} {
				_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", url[len("http://"):])
				require.Error(t, err, "%s is free again", url)
			}
		})
	}
}

func TestAStartThatCannotSucceedSaysWhy(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	addr := taken.Addr().String()
	for name, tc := range map[string]struct {
		cfg  Config
		says string
	}{
		"API port taken": {
			Config{Addr: addr, ECSAddr: "127.0.0.1:0", Store: StoreMemory},
			"the API cannot listen on " + addr + ": the port is taken by another program; stop that one or choose another with --addr HOST:PORT",
		},
		"ECS port taken": {
			Config{Addr: "127.0.0.1:0", ECSAddr: addr, Store: StoreMemory},
			"the ECS simulator cannot listen on " + addr + ": the port is taken by another program; stop that one or choose another with --ecs-addr HOST:PORT",
		},
		"no port":            {Config{Addr: "localhost", ECSAddr: "127.0.0.1:0", Store: StoreMemory}, `the address "localhost" of the API is invalid: allowed is HOST:PORT, such as 127.0.0.1:8080`},
		"unknown store":      {Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: "disk"}, `store "disk" is unknown: allowed are memory and dynamodb`},
		"too many instances": {Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Instances: 5001}, "5001 instances: allowed are 0 to 5000"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), tc.cfg)
			var start *StartError
			require.ErrorAs(t, err, &start)
			require.EqualError(t, err, tc.says)
		})
	}
}

func TestWithoutJavaThereIsNoDynamoDBLocal(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Run(t.Context(), Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreDynamoDB})
	var start *StartError
	require.ErrorAs(t, err, &start)
	require.ErrorContains(t, err, "DynamoDB Local needs a Java runtime and there is no java on the PATH: install one")
	require.NotContains(t, err.Error(), "\n")
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &lockedText{}
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Out: out, Log: quiet})
	}()
	eventually(t, "the introduction", func(c *assert.CollectT) { require.Contains(c, out.String(), "Try, in another terminal") })
	cancel()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "Run does not end")
	}
	require.Contains(t, out.String(), "stopping\n")
}

func TestWithoutTheDemoTheAccountIsEmpty(t *testing.T) {
	s, err := Start(t.Context(), Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Log: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(t.Context())) })
	environments, err := s.listEnvironments(t.Context())
	require.NoError(t, err)
	require.Empty(t, environments)
	_, err = s.Client().GetEnvironment(t.Context(), demoDaemon)
	var answered *client.Error
	require.ErrorAs(t, err, &answered)
	require.Equal(t, http.StatusNotFound, answered.Status)
}
