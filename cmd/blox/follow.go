package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// pollEvery is how often progress is asked for.
const pollEvery = 2 * time.Second

// maxFailedShown is how many of the failed hosts are shown: most often they failed for the same reason.
const maxFailedShown = 5

// waitFlags let a verb wait for the deployment that it made.
type waitFlags struct {
	wait    bool
	timeout time.Duration
}

func (w *waitFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.wait, "wait", false, "show progress until the deployment ends; failed hosts give exit code 1")
	w.addTimeout(cmd, 15*time.Minute)
}

func (w *waitFlags) addTimeout(cmd *cobra.Command, standard time.Duration) {
	cmd.Flags().DurationVar(&w.timeout, "timeout", standard, "give up waiting after this time; the deployment goes on")
}

func (w *waitFlags) check(cmd *cobra.Command) error {
	if w.timeout <= 0 {
		return usage(cmd, "--timeout %s: allowed is a time such as 30s or 15m", w.timeout)
	}
	return nil
}

// begun tells of a deployment that was made, and waits for its end if that was asked for.
func (c *connection) begun(cmd *cobra.Command, blox *client.Client, dep client.Deployment, w waitFlags) error {
	fmt.Fprintf(cmd.OutOrStdout(), "deployment %s of %s, revision %d (%s): %s\n",
		dep.ID, dep.EnvironmentName, dep.Revision, lastPart(dep.TaskDefinition), statusText(dep))
	if err := c.tellFrozen(cmd, blox, dep); err != nil {
		return err
	}
	if !w.wait {
		return nil
	}
	wanted := client.DeploymentCompleted
	if dep.Status == client.DeploymentRollingBack {
		wanted = client.DeploymentRolledBack // whoever turned it back wants that
	}
	return c.follow(cmd, blox, dep, wanted, w.timeout)
}

// tellFrozen tells whoever may wait for a deployment that nothing will be done for it.
func (c *connection) tellFrozen(cmd *cobra.Command, blox *client.Client, dep client.Deployment) error {
	if dep.Ended() {
		return nil
	}
	env, err := blox.GetEnvironment(cmd.Context(), dep.EnvironmentName)
	if err == nil && env.Frozen != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "environment %s is frozen %s; nothing is done for it until: blox thaw %s\n",
			env.Name, frozenText(c.now(), env.Frozen), env.Name)
	}
	return err
}

// follow shows a deployment's progress until it ends or the time is up. A deployment completes without the hosts where
// the daemon does not start; a script that waits must not take that for success.
func (c *connection) follow(cmd *cobra.Command, blox *client.Client, dep client.Deployment, wanted string, timeout time.Duration) error {
	deadline := c.now().Add(timeout)
	shown := ""
	for !dep.Ended() {
		if !c.now().Before(deadline) {
			return fmt.Errorf("deployment %s is still %s after %s; it goes on, follow it with: blox rollout status %s",
				dep.ID, dep.Status, timeout, dep.EnvironmentName)
		}
		if err := c.pause(cmd.Context(), pollEvery); err != nil {
			if errors.Is(err, context.Canceled) {
				return fmt.Errorf("interrupted; deployment %s goes on, follow it with: blox rollout status %s", dep.ID, dep.EnvironmentName)
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
	return verdict(cmd, dep, wanted)
}

// verdict is nil if a deployment ended as wanted on every host, and else says what became of it.
func verdict(cmd *cobra.Command, dep client.Deployment, wanted string) error {
	for i, failed := range dep.FailedInstances {
		if i == maxFailedShown {
			fmt.Fprintf(cmd.ErrOrStderr(), "failed: %d others\n", len(dep.FailedInstances)-i)
			break
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "failed: "+cell(failed))
	}
	switch dep.Status {
	case wanted:
		if n := len(dep.FailedInstances); n > 0 {
			return fmt.Errorf("deployment %s is %s, but failed on %d of %d hosts; see: blox describe deployment %s %s",
				dep.ID, dep.Status, n, dep.Counts.Desired, dep.EnvironmentName, dep.ID)
		}
		return nil
	case client.DeploymentRolledBack:
		return fmt.Errorf("deployment %s was rolled back to revision %d%s; see: blox describe deployment %s %s",
			dep.ID, dep.RollbackTo, because(dep), dep.EnvironmentName, dep.ID)
	case client.DeploymentFailed:
		return fmt.Errorf("deployment %s failed%s; hosts keep what they have, see: blox describe deployment %s %s",
			dep.ID, because(dep), dep.EnvironmentName, dep.ID)
	default:
		return fmt.Errorf("deployment %s was %s before every host had revision %d%s; see: blox get deployments %s",
			dep.ID, dep.Status, dep.Revision, because(dep), dep.EnvironmentName)
	}
}

// because is a deployment's reason. That of what people did begins with the status, which is told already.
func because(dep client.Deployment) string {
	reason := strings.TrimLeft(strings.TrimPrefix(dep.Reason, dep.Status), ": ")
	if reason == "" {
		return ""
	}
	return " (" + cell(reason) + ")"
}

// progress is a deployment in one line, with what it waits for.
func progress(d client.Deployment) string {
	text := fmt.Sprintf("%s: %d of %d hosts updated, %d healthy", statusText(d), d.Counts.Updated, d.Counts.Desired, d.Counts.Healthy)
	if n := max(len(d.FailedInstances), d.Counts.Failed); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	switch {
	case d.Status == client.DeploymentPaused && d.PausedFor == client.PausedByCanary:
		text += "; the canaries wait for: blox rollout promote " + d.EnvironmentName
	case d.Status == client.DeploymentPaused:
		text += "; go on with: blox rollout resume " + d.EnvironmentName
	}
	return text
}

// statusText is such as "paused (lunch)", "rollingBack to revision 3 (…)".
func statusText(d client.Deployment) string {
	text := d.Status
	if d.RollbackTo > 0 && !d.Ended() {
		text += fmt.Sprintf(" to revision %d", d.RollbackTo)
	}
	if !d.Ended() {
		text += because(d)
	}
	return text
}
