package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/internal/dlq"
)

var dlqHeader = []string{"QUEUE", "MESSAGES", "OLDEST", "REASONS"}

func newDLQListCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Show how many messages each dead-letter queue has, and why they are there",
		Long: fmt.Sprintf(`Show how many messages each dead-letter queue has, and why they are there.

OLDEST and REASONS are of the messages looked at, at most %d of each queue. Looking raises their receive counts, and hides
them from others for some seconds.`, dlq.MaxShown),
		Args: exactly(0),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := output.check(cmd); err != nil {
			return err
		}
		office, queues, err := c.deadLetters(cmd)
		if err != nil {
			return err
		}
		summaries := make([]dlq.Summary, len(queues))
		for i, q := range queues {
			if summaries[i], err = office.Summarize(cmd.Context(), q); err != nil {
				return err
			}
		}
		if output.form == outputJSON {
			return printJSON(cmd.OutOrStdout(), map[string]any{"items": summaries})
		}
		rows := make([][]string, len(summaries))
		for i, s := range summaries {
			rows[i] = summaryRow(c.now(), s)
		}
		return printTable(cmd.OutOrStdout(), dlqHeader, rows)
	}
	output.addForm(cmd)
	return cmd
}

func summaryRow(now time.Time, s dlq.Summary) []string {
	reasons := make([]string, len(s.Reasons))
	for i, r := range s.Reasons {
		reasons[i] = r.Reason + " " + strconv.Itoa(r.Count)
	}
	why := strings.Join(reasons, ", ")
	if s.Looked < s.Count {
		why += fmt.Sprintf(" (of %d looked at)", s.Looked)
	}
	return []string{s.Queue, strconv.Itoa(s.Count), age(now, s.Oldest), why}
}
