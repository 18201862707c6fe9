package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/internal/dlq"
)

// redriveFlags are those of dlq redrive.
type redriveFlags struct {
	redrive dlq.Redrive
	yes     bool
	output  outputFlags
}

// againAfter is how long what was moved back is given to come here again: one that is still bad is set aside at its first
// delivery.
const againAfter = 5 * time.Second

const maxRedriveTime = 36 * time.Hour // SQS ends a move then

func newDLQRedriveCommand(c *connection) *cobra.Command {
	var f redriveFlags
	cmd := &cobra.Command{
		Use:   "redrive [QUEUE]",
		Short: "Send messages of a dead-letter queue back to where they came from, of events unless another is named",
		Long: fmt.Sprintf(
			`Send messages of a dead-letter queue back to where they came from, of events unless another is named.

Without --reason and --id all messages go. SQS moves them itself, and this command waits for it and ends it when it is
interrupted. A move does not look at messages, so a few seconds after it the queue is counted once more: what is in it then
has most likely come here again. With --reason or --id, and from queue rule, each message is received, sent and then
deleted, so that a failure in between loses none; at most %d messages are looked at.

Sending events back is safe at any time: one is stored only if it is newer than what is there. What is still wrong with
an event sends it here again with its reason.

Messages of reconcile go back only all together, since that queue keeps an order. Those of stream and schedules cannot go
back: they are no messages of a queue, and what they were about is made up for by the next sweep or invocation.

The exit code is 0 if all went back that was to, 1 if some did not or came here again, 3 if there is none with such an id
or reason.`,
			dlq.MaxLooked,
		),
		Example: "  blox dlq redrive --stack Blox-blox --dry-run\n  blox dlq redrive --stack Blox-blox --reason too-large --yes\n" +
			"  blox dlq redrive rule --stack Blox-blox --max-per-second 50",
		Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(
		&f.redrive.Selection.Reasons,
		"reason",
		nil,
		"only those with this reason, such as too-large; may be given several times",
	)
	flags.StringSliceVar(
		&f.redrive.Selection.IDs,
		"id",
		nil,
		"only the one with this id, of the event or the message; may be given several times",
	)
	flags.IntVar(
		&f.redrive.PerSecond,
		"max-per-second",
		0,
		fmt.Sprintf("send at most this many in a second, 1 to %d (default as many as go)", dlq.MaxPerSecond),
	)
	flags.DurationVar(
		&f.redrive.Limit,
		"timeout",
		15*time.Minute,
		"how long SQS may take to move a whole queue, at most 36h",
	)
	flags.BoolVar(&f.redrive.DryRun, "dry-run", false, "only say what would be sent")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask before sending")
	f.output.addForm(cmd)
	return cmd
}

func (f *redriveFlags) check(cmd *cobra.Command) error {
	switch {
	case cmd.Flags().Changed("max-per-second") && (f.redrive.PerSecond < 1 || f.redrive.PerSecond > dlq.MaxPerSecond):
		return usage(cmd, "--max-per-second %d: allowed are 1 to %d", f.redrive.PerSecond, dlq.MaxPerSecond)
	case f.redrive.Limit <= 0 || f.redrive.Limit > maxRedriveTime:
		return usage(cmd, "--timeout %s: allowed is more than 0 and at most 36h", f.redrive.Limit)
	case f.output.form == outputJSON && !f.yes && !f.redrive.DryRun:
		return usage(cmd, "-o json asks no question: give --yes or --dry-run")
	}
	return f.output.check(cmd)
}

func (f *redriveFlags) run(cmd *cobra.Command, c *connection, args []string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	office, queues, err := c.deadLetters(cmd)
	if err != nil {
		return err
	}
	q, err := queueArgument(cmd, queues, args)
	if err != nil {
		return err
	}
	if err := f.redrive.Check(q); err != nil {
		return usage(cmd, "%s", err)
	}
	if !f.redrive.DryRun && !f.yes {
		if goOn, err := f.confirm(cmd, office, q); err != nil || !goOn {
			return err
		}
	}
	outcome, err := office.Redrive(cmd.Context(), q, f.redrive)
	if err == nil {
		err = f.lookAgain(cmd, c, office, q, &outcome)
	}
	if said := f.tell(cmd, outcome, err == nil); said != nil || err != nil {
		return errors.Join(said, err)
	}
	return f.missing(cmd, office, q, outcome)
}

// lookAgain counts what is in the queue some seconds after SQS has moved all of it: SQS does not look at what it moves.
func (f *redriveFlags) lookAgain(cmd *cobra.Command, c *connection, office *dlq.Office, q dlq.Queue, o *dlq.Outcome) error {
	if !o.Moved || o.Sent == 0 || o.CameBack > 0 {
		return nil
	}
	if err := c.pause(cmd.Context(), againAfter); err != nil {
		return err
	}
	again, err := office.Count(cmd.Context(), q)
	if err != nil {
		return fmt.Errorf("looking whether messages came here again: %w", err)
	}
	o.CameBack = again
	return nil
}

// missing is the error of a selection that picked nothing: there is no such id, or no such reason.
func (f *redriveFlags) missing(cmd *cobra.Command, office *dlq.Office, q dlq.Queue, o dlq.Outcome) error {
	switch {
	case o.Picked > 0 || f.redrive.Selection.All():
		return nil
	case len(f.redrive.Selection.IDs) > 0:
		return &exitError{exitNotFound, fmt.Errorf("there is no message with such an id: blox dlq show %s lists some", o.Queue)}
	}
	found, err := office.Summarize(cmd.Context(), q)
	if err != nil {
		return err
	}
	reasons := make([]string, len(found.Reasons))
	for i, r := range found.Reasons {
		reasons[i] = r.Reason
	}
	return &exitError{exitNotFound, fmt.Errorf("there is no message with the reason %s: those in %s have %s",
		strings.Join(f.redrive.Selection.Reasons, " or "), o.Queue, firstOf(strings.Join(reasons, ", "), "none, for it is empty"))}
}

// confirm looks how many messages it is about, and asks. It does not ask about none.
func (f *redriveFlags) confirm(cmd *cobra.Command, office *dlq.Office, q dlq.Queue) (goOn bool, err error) {
	look := f.redrive
	look.DryRun = true
	outcome, err := office.Redrive(cmd.Context(), q, look)
	if err != nil {
		return false, err
	}
	if outcome.Picked == 0 {
		if err := f.tell(cmd, outcome, true); err != nil {
			return false, err
		}
		return false, f.missing(cmd, office, q, outcome)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "send %s of %s back to %s? [y/N] ", messages(outcome.Picked), q.Name, q.Back)
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || answer == "") {
		fmt.Fprintln(cmd.ErrOrStderr())
		return false, usage(cmd, "nothing was sent: there was no answer; give --yes where nobody can be asked")
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, &exitError{exitFailed, errors.New("nothing was sent")}
}

// tell prints what was done. Where all went well, what is left to say is an error.
func (f *redriveFlags) tell(cmd *cobra.Command, o dlq.Outcome, well bool) error {
	out := cmd.OutOrStdout()
	switch {
	case f.output.form == outputJSON:
		if err := printJSON(out, o); err != nil {
			return err
		}
	case o.Picked == 0 && well:
		fmt.Fprintf(out, "nothing to send back: %s of %s looked at\n", messages(o.Looked), o.Queue)
	case f.redrive.DryRun:
		fmt.Fprintf(out, "would send back %d of %s of %s\n", o.Picked, messages(o.Looked), o.Queue)
	case o.Moved:
		fmt.Fprintf(out, "moved back %s of %s\n", messages(o.Sent), o.Queue)
	default:
		fmt.Fprintf(out, "sent back %s of %s; %d looked at\n", messages(o.Sent), o.Queue, o.Looked)
	}
	if o.Doubled > 0 {
		fmt.Fprintf(
			cmd.ErrOrStderr(),
			"%s could not be deleted after being sent: they are in both queues, which does no harm\n",
			messages(o.Doubled),
		)
	}
	switch {
	case !well:
		return nil // the error says it
	case o.CameBack > 0 && o.Moved:
		return &exitError{exitFailed, fmt.Errorf("%d are in it again: see blox dlq show %s", o.CameBack, o.Queue)}
	case o.CameBack > 0:
		return &exitError{exitFailed, fmt.Errorf("%s came back at once: their cause is not gone", messages(o.CameBack))}
	case o.Partly:
		return &exitError{exitFailed, fmt.Errorf("only %s were looked at: do it again for the others", messages(o.Looked))}
	}
	return nil
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}
