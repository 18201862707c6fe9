// Command stack is what `make synth`, `diff`, `deploy`, `destroy`, `bootstrap` and `rollback` run, by infra/cdk/stack.sh.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/blox/blox/infra/cdk/internal/command"
)

func main() {
	directory := flag.String("directory", ".", "the folder infra/cdk")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Usage: stack.sh VERB [arguments of the CDK], where VERB is one of %s\n", strings.Join(command.Verbs, ", "))
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	// The terminal interrupts the CDK as well, which says itself what becomes of the deploy: hear it out. The signal is
	// caught, not ignored, since the CDK would inherit that.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	cmd := &command.Command{
		Directory: *directory, Verb: flag.Arg(0), Args: flag.Args()[1:], Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Quiet: time.Minute,
	}
	if err := cmd.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "blox:", err)
		os.Exit(1)
	}
}
