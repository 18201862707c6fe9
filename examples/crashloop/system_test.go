package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/local"
	"github.com/blox/blox/stream"
)

// A service whose image is broken, in a whole system: what is asked of the API is what it answers.
func TestABrokenImageIsALoop(t *testing.T) {
	system, err := local.Start(t.Context(), local.Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: 3, Seed: 1, Store: local.StoreMemory, Demo: true,
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, system.Stop(t.Context())) })
	system.Do(func(sim *ecssim.Simulator, _ time.Time) {
		sim.Faults().SetImage("example.com/web:1", ecssim.ImageFault{CrashAfter: time.Millisecond, ExitCode: 1})
	})
	d := &desk{}
	w := d.watcher()
	w.list = system.Client().ListTasks

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	filter := client.TaskFilter{Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/demo", Status: "STOPPED"}
	for e, err := range system.Client().WatchTasks(ctx, filter, client.WatchOptions{}) {
		require.NoError(t, err)
		if e.Type != client.WatchUpdated {
			continue
		}
		require.NoError(t, w.change(ctx, stream.Change{
			Kind: stream.KindTask, Cluster: stream.Cluster{Account: "123456789012", Region: "us-east-1", Name: "demo"},
			ARN: e.Task.Entity.TaskARN, New: &stream.Entity{Detail: e.Task.Entity.Raw, End: &stream.End{}},
		}))
		if len(d.alerts) > 0 {
			break
		}
	}
	require.Len(t, d.alerts, 1)
	require.Equal(t, "service:web", d.alerts[0].Group)
	require.Equal(t, "arn:aws:ecs:us-east-1:123456789012:cluster/demo", d.alerts[0].ClusterARN)
	require.Equal(t, 3, d.alerts[0].Crashes)
}
