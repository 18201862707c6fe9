package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

var historyHeader = []string{"REVISION", "TASK DEFINITION", "DEPLOYMENTS", "AGE"}

// revisionWithDeployments is a revision and how its deployments fared, newest first.
type revisionWithDeployments struct {
	client.Revision
	Deployments []string `json:"deployments"`
}

// maxHistoryDeployments bounds how many deployments are looked at for how revisions fared.
const maxHistoryDeployments = 1000

func newRolloutHistoryCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use: "history NAME", Short: "Show an environment's revisions, newest first, and how their deployments fared",
		Long: `Show an environment's revisions, newest first, and how their deployments fared. blox diff shows what two revisions differ in, and
blox rollout undo --to brings an older one back.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		revisions, more, err := take(blox.ListRevisions(cmd.Context(), args[0]), output.limit, nil)
		if err != nil {
			return err
		}
		deployments, _, err := take(blox.ListDeployments(cmd.Context(), args[0]), maxHistoryDeployments, nil)
		if err != nil {
			return err
		}
		fared := map[int][]string{}
		for _, d := range deployments {
			fared[d.Revision] = append(fared[d.Revision], d.Status)
		}
		items := make([]revisionWithDeployments, len(revisions))
		for i, r := range revisions {
			items[i] = revisionWithDeployments{r, fared[r.Number]}
		}
		return showItems(cmd, &output, items, more, historyHeader, historyRow(c.now()))
	}
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func historyRow(now time.Time) func(revisionWithDeployments) []string {
	return func(r revisionWithDeployments) []string {
		return []string{
			strconv.Itoa(r.Number), lastPart(r.TaskDefinition), strings.Join(r.Deployments, ", "), age(now, &r.CreatedAt),
		}
	}
}
