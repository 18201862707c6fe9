// Command ecssim serves a simulated Amazon ECS in real time:
//
//	ecssim --addr 127.0.0.1:8081 --instances 5
//	aws ecs list-container-instances --cluster demo --endpoint-url http://127.0.0.1:8081
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/ecssim"
)

type options struct {
	addr      string
	cluster   string
	instances int
	seed      uint64
	throttle  bool
	events    bool
}

const maxInstances = 5000 // ECS's quota for a cluster

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ecssim:", err)
		os.Exit(2)
	}
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "ecssim", Short: "Serve a simulated Amazon ECS", Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8081", "where to listen; port 0 takes any free one")
	flags.StringVar(&o.cluster, "cluster", "demo", "cluster of the first container instances")
	flags.IntVar(&o.instances, "instances", 0, "how many container instances there are at first")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of ids and delays")
	flags.BoolVar(&o.throttle, "throttle", false, "enforce ECS's documented request rates")
	flags.BoolVar(&o.events, "events", false, "print each EventBridge event as a line of JSON")
	return cmd
}

func run(ctx context.Context, o options) error {
	if o.instances < 0 || o.instances > maxInstances {
		return fmt.Errorf("--instances is %d, it must be between 0 and %d", o.instances, maxInstances)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", o.addr, err)
	}
	sim := ecssim.New(ecssim.Config{Seed: o.seed, Throttle: o.throttle}, time.Now())
	for range o.instances {
		sim.AddHost(time.Now(), o.cluster, ecssim.HostSpec{})
	}
	server := ecssim.NewServer(sim, nil, func(events []ecssim.Event) {
		for _, e := range events {
			if o.events {
				fmt.Println(string(e.JSON))
			}
		}
	})
	fmt.Fprintf(os.Stderr, "ecssim: listening on http://%s\n", listener.Addr())
	web := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Run(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return web.Shutdown(grace)
	})
	group.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving %s: %w", o.addr, err)
		}
		return nil
	})
	return group.Wait()
}
