// Command blox shows the state of Amazon ECS clusters and runs daemons on them: it is the command line of the Blox API.
// `blox local` runs Blox itself, with an ECS simulator, on this machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, newRootCommand(), os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}
