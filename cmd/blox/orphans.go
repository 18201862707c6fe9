package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

func newOrphansCommand(c *connection) *cobra.Command {
	var cluster string
	var output outputFlags
	cmd := &cobra.Command{
		Use: "orphans", Short: "Show live tasks that Blox started and that no environment owns any more",
		Long: `Show live tasks that Blox started and that no environment owns any more, such as those of environments that were deleted without
their tasks. Blox never stops them: stop one with aws ecs stop-task once nothing needs it.

Where several installations of Blox share an account, the tasks of the others are shown, too: blox describe task shows a task's group,
which begins with blox: and the installation's name.`,
		Args: exactly(0),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		items, more, err := take(orphans(cmd.Context(), blox, cluster), output.limit, taskVersion)
		if err == nil && len(items) == 0 {
			err = checkClusterOfNone(cmd, blox, cluster)
		}
		if err != nil {
			return err
		}
		return showItems(cmd, &output, items, more, taskHeader, taskRow(c.now()))
	}
	cmd.Flags().StringVar(&cluster, clusterFlag, "", "only those of this cluster (name or ARN)")
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

// orphans are the live tasks whose startedBy is Blox's and of no environment that there is. Each deployment is asked for
// once.
func orphans(ctx context.Context, blox *client.Client, cluster string) iter.Seq2[client.Task, error] {
	return func(yield func(client.Task, error) bool) {
		orphaned := map[string]bool{}
		taken, err := takenOver(ctx, blox)
		if err != nil {
			yield(client.Task{}, err)
			return
		}
		for task, err := range blox.ListTasks(ctx, client.TaskFilter{Cluster: cluster, DesiredStatus: "RUNNING"}) {
			if err != nil {
				yield(task, err)
				return
			}
			by := task.Entity.StartedBy
			if !strings.HasPrefix(by, daemon.StartedByPrefix) || taken[task.Entity.Group[strings.LastIndex(task.Entity.Group, ":")+1:]] {
				continue
			}
			gone, known := orphaned[by]
			if !known {
				_, err := blox.EnvironmentOfTask(ctx, by)
				if err != nil && !errors.Is(err, client.ErrNotStarted) {
					yield(task, fmt.Errorf("finding the environment of task %s: %w", lastPart(task.Entity.TaskARN), err))
					return
				}
				gone = err != nil
				orphaned[by] = gone
			}
			if gone && !yield(task, nil) {
				return
			}
		}
	}
}

// takenOver are the ids of deleted environments whose tasks another environment took over.
func takenOver(ctx context.Context, blox *client.Client) (map[string]bool, error) {
	taken := map[string]bool{}
	for env, err := range blox.ListEnvironments(ctx, "") {
		if err != nil {
			return nil, err
		}
		for _, id := range env.FormerIDs {
			taken[id] = true
		}
	}
	return taken, nil
}
