package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/internal/dlq"
)

var letterHeader = []string{"AGE", "REASON", "EVENT", "KIND", "SUBJECT", "RECEIVED", "ERROR"}

const defaultShown = 10

func newDLQShowCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use: "show [QUEUE]", Short: "Show messages of a dead-letter queue, of events unless another is named",
		Long: `Show messages of a dead-letter queue, of events unless another is named.

EVENT is the event's id, or the message's where it has none; blox dlq redrive --id takes it. SUBJECT is the ARN of the task or
container instance. With -o json each message is shown with its body. Messages are visible to others again at once.`,
		Args: between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := output.check(cmd); err != nil {
			return err
		}
		if output.limit > dlq.MaxShown {
			return usage(cmd, "--limit %d: allowed are 1 to %d", output.limit, dlq.MaxShown)
		}
		office, queues, err := c.deadLetters(cmd)
		if err != nil {
			return err
		}
		q, err := queueArgument(cmd, queues, args)
		if err != nil {
			return err
		}
		letters, err := office.Look(cmd.Context(), q, output.limit)
		if err != nil {
			return err
		}
		return showLetters(cmd, &output, c.now(), letters)
	}
	output.addForm(cmd)
	cmd.Flags().IntVar(&output.limit, "limit", defaultShown, fmt.Sprintf("show at most this many, 1 to %d", dlq.MaxShown))
	return cmd
}

func showLetters(cmd *cobra.Command, output *outputFlags, now time.Time, letters []dlq.Letter) error {
	if len(letters) == output.limit {
		fmt.Fprintf(cmd.ErrOrStderr(), "only %d are shown: there may be more\n", output.limit)
	}
	if output.form == outputJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"items": letters})
	}
	if len(letters) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "the queue is empty")
		return nil
	}
	rows := make([][]string, len(letters))
	for i, l := range letters {
		rows[i] = []string{
			age(now, &l.SentAt),
			l.Reason,
			firstOf(l.EventID, l.MessageID),
			l.Kind,
			l.Subject,
			strconv.Itoa(l.Receives),
			l.Error,
		}
	}
	return printTable(cmd.OutOrStdout(), letterHeader, rows)
}
