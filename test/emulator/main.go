// Command emulator runs a deployed stack of Blox against an emulated account and proves that it works. See run.sh.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/blox/blox/test/emulator/internal/account"
	"github.com/blox/blox/test/emulator/internal/host"
	"github.com/blox/blox/test/emulator/internal/scenario"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	stackName := flag.String("stack", "Blox-blox", "name of the deployed stack")
	flag.Parse()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	key, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	a := account.New(account.Config{Endpoint: os.Getenv("AWS_ENDPOINT_URL"), Region: cfg.Region, Credentials: cfg.Credentials})
	a.AccessKeyID = key.AccessKeyID
	h, err := host.Start(ctx, host.Config{Account: a, StackName: *stackName, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	defer func() { _ = h.Stop() }()
	if err != nil {
		return err
	}
	s, err := scenario.New(h, h.ECSURL, os.Stdout)
	if err != nil {
		return err
	}
	began := time.Now()
	err = s.Run(ctx)
	fmt.Println(time.Since(began))
	if err != nil {
		for name, f := range h.Functions {
			lines := f.Logs()
			for _, l := range lines[max(0, len(lines)-8):] {
				fmt.Println(name, l)
			}
		}
	}
	for _, r := range h.Replaced {
		fmt.Println("-", r)
	}
	return err
}
