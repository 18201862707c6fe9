package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// deployFlags are those of blox deploy.
type deployFlags struct {
	wait       waitFlags
	dry, again bool
}

func newDeployCommand(c *connection) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use: "deploy NAME", Short: "Bring an environment's current revision to all of its hosts",
		Long: `Bring an environment's current revision to all of its hosts. Each revision is deployed once, so that a pipeline may run the command
again: while its deployment is under way or in force, nothing new is made. If that was rolled back, has failed, was stopped or another
took its place since, the command fails and says so; with --again there is a new deployment of the same revision.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0]) }
	f.wait.add(cmd)
	addDryRun(cmd, &f.dry)
	cmd.Flags().BoolVar(&f.again, "again", false, "also if the revision was deployed before and is not any more")
	return cmd
}

func (f *deployFlags) run(cmd *cobra.Command, c *connection, name string) error {
	if err := f.wait.check(cmd); err != nil {
		return err
	}
	blox, err := c.client(cmd)
	if err != nil {
		return err
	}
	env, err := blox.GetEnvironment(cmd.Context(), name)
	if err != nil {
		return err
	}
	before, err := deploymentBefore(cmd.Context(), blox, env)
	if err != nil {
		return err
	}
	if before.Ended() && !f.again {
		return f.deployedBefore(cmd, env, before)
	}
	var plan client.Plan
	var dep client.Deployment
	if before.Ended() {
		dep, err = blox.RollBackEnvironment(cmd.Context(), name, env.Revision, uuid.NewString(), dryRun(f.dry, &plan)...)
	} else {
		dep, err = blox.CreateDeployment(cmd.Context(), name, env.DeploymentToken, dryRun(f.dry, &plan)...)
	}
	if err != nil {
		return err
	}
	if f.dry {
		return showPlan(cmd.OutOrStdout(), outputTable, plan)
	}
	return c.begun(cmd, blox, dep, f.wait)
}

// lookedThrough is how many deployments are looked through for the one that was made of the newest revision.
const lookedThrough = 100

// deploymentBefore is the deployment that the environment's token has made; none has no id.
func deploymentBefore(ctx context.Context, blox *client.Client, env client.Environment) (client.Deployment, error) {
	page, err := blox.ListDeploymentsPage(ctx, env.Name, client.PageOptions{Limit: lookedThrough})
	if err != nil {
		return client.Deployment{}, err
	}
	for _, dep := range page.Items {
		if dep.DeploymentToken == env.DeploymentToken {
			return dep, nil
		}
	}
	return client.Deployment{}, nil
}

// deployedBefore says that there is nothing to do, or that nothing is done.
func (f *deployFlags) deployedBefore(cmd *cobra.Command, env client.Environment, before client.Deployment) error {
	if before.Status == client.DeploymentCompleted && before.ID == env.DeploymentID {
		fmt.Fprintf(cmd.OutOrStdout(), "revision %d of %s is deployed: deployment %s is completed; give every host a new task of it with: blox rollout restart %s\n",
			env.Revision, env.Name, before.ID, env.Name)
		if f.wait.wait {
			return verdict(cmd, before, client.DeploymentCompleted)
		}
		return nil
	}
	since := ""
	if before.ID != env.DeploymentID {
		since = fmt.Sprintf(", and revision %d was deployed since", env.DeployedRevision)
	}
	return fmt.Errorf("nothing was done: revision %d of %s was deployed before, deployment %s is %s%s%s; deploy it again with: blox deploy %s --again",
		env.Revision, env.Name, before.ID, before.Status, because(before), since, env.Name)
}
