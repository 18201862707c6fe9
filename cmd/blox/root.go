package main

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// world is what the verbs know of the machine they run on.
type world struct {
	now    func() time.Time
	getenv func(string) string
	// pause waits, or ends early with the context's error.
	pause func(ctx context.Context, d time.Duration) error
}

func thisMachine() world {
	return world{now: time.Now, getenv: os.Getenv, pause: pause}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// newRootCommand is the whole command line. Each verb is in a file of its own.
func newRootCommand() *cobra.Command { return newRootCommandIn(thisMachine()) }

func newRootCommandIn(w world) *cobra.Command {
	root := &cobra.Command{
		Use:   "blox",
		Short: "State of Amazon ECS clusters, and daemons on all of their hosts",
		Long: `State of Amazon ECS clusters, and daemons on all of their hosts.

Exit codes:
  0  it was done
  1  it failed: the API refused it or cannot be reached, or a deployment waited for has failed hosts or did not complete
  2  the command line, a file or a value in it is wrong
  3  there is nothing of that name

` + connectionHelp,
		// Errors are printed by run, once and in one sentence.
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage(cmd, "unknown command %q: allowed are %s", args[0], strings.Join(verbs(cmd), ", "))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, "%s", err) })
	c := addConnectionFlags(root, w)
	root.AddCommand(
		newGetCommand(c),
		newDescribeCommand(c),
		newApplyCommand(c),
		newDeployCommand(c),
		newRolloutCommand(c),
		newPlanCommand(c),
		newDiffCommand(c),
		newExplainCommand(c),
		newFreezeCommand(c),
		newThawCommand(c),
		newMigrateCommand(c),
		newOrphansCommand(c),
		newDeleteCommand(c),
		newDoctorCommand(c),
		newDLQCommand(c),
		newReconcileCommand(c),
		newLocalCommand(),
		newVersionCommand(c),
	)
	return root
}

func verbs(cmd *cobra.Command) []string {
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(names, child.Name())
		}
	}
	return names
}

// group is a verb that only has others below it.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, "what to %s is missing: allowed are %s", cmd.Name(), strings.Join(verbs(cmd), ", "))
			}
			return usage(cmd, "cannot %s %q: allowed are %s", cmd.Name(), args[0], strings.Join(verbs(cmd), ", "))
		},
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(children...)
	return cmd
}

// run executes a command line and gives its exit code.
func run(ctx context.Context, root *cobra.Command, args []string, stderr io.Writer) int {
	root.SetArgs(args)
	return report(root.ExecuteContext(ctx), stderr)
}
