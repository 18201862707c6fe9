package main

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/local"
)

// patience is how long a condition may take; on a busy machine things take a while.
const patience = time.Minute

// zones has the tasks of the scheduler that live, by zone.
func zones(world ecssim.World) map[string][]string {
	byHost, live := map[string]string{}, map[string][]string{}
	for _, h := range world.Hosts {
		byHost[h.ARN] = h.Attributes["ecs.availability-zone"]
	}
	for _, task := range world.Tasks {
		if task.StartedBy == "zones" && task.DesiredStatus == "RUNNING" {
			zone := byHost[task.ContainerInstanceARN]
			live[zone] = append(live[zone], task.ARN)
		}
	}
	return live
}

// Two schedulers of one name share their work, as two copies of it for reliability would.
func TestEachZoneOfTheDemoHasOneTask(t *testing.T) {
	worlds := make(chan ecssim.World, 1)
	system, err := local.Start(t.Context(), local.Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: 6, Seed: 1, Store: local.StoreMemory, Demo: true,
		Log: slog.New(slog.DiscardHandler), OnWorld: func(world ecssim.World) {
			for zone, tasks := range zones(world) {
				if len(tasks) > 1 {
					t.Errorf("zone %s has %v", zone, tasks)
				}
			}
			select { // only the newest is of interest
			case <-worlds:
			default:
			}
			select {
			case worlds <- world:
			default:
			}
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, system.Stop(t.Context())) })
	until := func(what string, wanted func(map[string][]string) bool) (live map[string][]string) {
		deadline := time.After(patience)
		for {
			select {
			case world := <-worlds:
				if live = zones(world); wanted(live) {
					return live
				}
			case <-deadline:
				require.Fail(t, "waited in vain", "for %s; there are %v", what, live)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	for range 2 {
		s := &scheduler{
			// Blox may not know the cluster yet: then it is told by its ARN.
			name: "zones", cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/demo", taskDefinition: "log-agent",
			every: 50 * time.Millisecond, blox: system.Client(), ecs: system.ECS(),
		}
		go func() { ended <- s.run(ctx) }()
	}
	live := until("a task in each zone", func(live map[string][]string) bool { return len(live) == 3 })

	victim := live["us-east-1b"][0]
	_, err = system.ECS().StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("demo"), Task: &victim})
	require.NoError(t, err)
	until("another task in the zone", func(live map[string][]string) bool {
		return len(live["us-east-1b"]) == 1 && !slices.Contains(live["us-east-1b"], victim)
	})
	cancel()
	for range 2 {
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}

func TestAWatchThatCannotBeginEndsTheScheduler(t *testing.T) {
	system, err := local.Start(t.Context(), local.Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: local.StoreMemory, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, system.Stop(t.Context())) })
	s := &scheduler{name: "zones", cluster: "no such cluster!", every: time.Minute, blox: system.Client(), ecs: system.ECS()}
	require.ErrorContains(t, s.run(t.Context()), "cluster")
}
