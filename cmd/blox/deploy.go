package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// pollEvery is how often --wait asks for progress.
const pollEvery = 2 * time.Second

func newDeployCommand(c *connection) *cobra.Command {
	var wait bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "deploy NAME", Short: "Bring an environment's current revision to all of its hosts", Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if timeout <= 0 {
			return usage(cmd, "--timeout %s: allowed is a time such as 30s or 15m", timeout)
		}
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		env, err := blox.GetEnvironment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		dep, err := blox.CreateDeployment(cmd.Context(), env.Name, env.DeploymentToken)
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "deployment %s of %s, revision %d (%s): %s\n",
			dep.ID, dep.EnvironmentName, dep.Revision, lastPart(dep.TaskDefinition), dep.Status)
		if !wait {
			return nil
		}
		return c.follow(cmd, blox, dep, timeout)
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "show progress until the deployment ends; failed hosts give exit code 1")
	cmd.Flags().DurationVar(&timeout, "timeout", 15*time.Minute, "give up waiting after this time; the deployment goes on")
	return cmd
}

// maxFailedShown is how many of the failed hosts --wait shows: most often they failed for the same reason.
const maxFailedShown = 5

// follow shows a deployment's progress until it ends or the time is up. A deployment completes without the hosts where
// the daemon does not start; a script that waits must not take that for success.
func (c *connection) follow(cmd *cobra.Command, blox *client.Client, dep client.Deployment, timeout time.Duration) error {
	deadline := c.now().Add(timeout)
	shown := ""
	for !dep.Ended() {
		if !c.now().Before(deadline) {
			return fmt.Errorf("deployment %s is still %s after %s; it goes on, follow it with: blox describe deployment %s",
				dep.ID, dep.Status, timeout, dep.EnvironmentName)
		}
		if err := c.pause(cmd.Context(), pollEvery); err != nil {
			if errors.Is(err, context.Canceled) {
				return fmt.Errorf("interrupted; deployment %s goes on, follow it with: blox describe deployment %s", dep.ID, dep.EnvironmentName)
			}
			return err
		}
		var err error
		if dep, err = blox.GetDeployment(cmd.Context(), dep.EnvironmentName, dep.ID); err != nil {
			return err
		}
		if now := progress(dep); now != shown {
			shown = now
			fmt.Fprintln(cmd.OutOrStdout(), now)
		}
	}
	for i, failed := range dep.FailedInstances {
		if i == maxFailedShown {
			fmt.Fprintf(cmd.ErrOrStderr(), "failed: %d others\n", len(dep.FailedInstances)-i)
			break
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "failed: "+cell(failed))
	}
	if dep.Status != client.DeploymentCompleted {
		return fmt.Errorf("deployment %s was %s before every host had revision %d; see: blox get deployments %s",
			dep.ID, dep.Status, dep.Revision, dep.EnvironmentName)
	}
	if n := len(dep.FailedInstances); n > 0 {
		return fmt.Errorf("deployment %s is completed, but failed on %d of %d hosts; see: blox describe deployment %s %s",
			dep.ID, n, dep.Counts.Desired, dep.EnvironmentName, dep.ID)
	}
	return nil
}

func progress(d client.Deployment) string {
	text := fmt.Sprintf("%s: %d of %d hosts updated, %d healthy", d.Status, d.Counts.Updated, d.Counts.Desired, d.Counts.Healthy)
	if n := len(d.FailedInstances); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text
}
