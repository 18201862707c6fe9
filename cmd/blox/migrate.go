package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
)

// migrateFlags are those of blox migrate.
type migrateFlags struct {
	cluster, file, name string
	wait                waitFlags
	dry, back, yes      bool
	stopFirst           bool
	hostTimeout         time.Duration
}

func newMigrateCommand(c *connection) *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use: "migrate SERVICE", Short: "Take a daemon over from an ECS DAEMON service, host by host, or give it back",
		Long: `Take a daemon over from an ECS service of scheduling strategy DAEMON, host by host, or give it back.

The environment is that of a file (-f), or is made from the service: task definition, placement constraints, network, tags,
minimum of healthy hosts, alarms. Then

  1. the service gets the placement constraint ` + handoverConstraint + `, which changes nothing yet;
  2. the environment is applied, with migrateFrom, and deployed;
  3. host by host, within the environment's budget, the scheduler puts the attribute blox.handover on the host; ECS then stops the
     service's task there, and the scheduler starts the environment's.

The service is left with no tasks, to be deleted when you are sure. blox rollout pause holds the migration, blox rollout stop ends it
where it is, and hosts that were not taken over keep the service's task.

With --back the environment is frozen, and host by host the attribute is taken away, the service's task is waited for, and the
environment's is stopped; at the end the environment is deleted. It may be run again after a failure.

The ECS calls (DescribeServices and UpdateService; for --back also ListAttributes, DeleteAttributes, ListTasks, DescribeTasks and
StopTask) are made with your AWS credentials.`,
		Example: "  blox migrate log-agent --cluster edge --dry-run\n  blox migrate log-agent --cluster edge --as log-agent --wait\n" +
			"  blox migrate log-agent --cluster edge --back --yes",
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0]) }
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, clusterFlag, "", "the service's cluster (name or ARN); not needed with the service's ARN")
	flags.StringVarP(&f.file, "file", "f", "", "a file with the one environment, as for blox apply; - is standard input")
	flags.StringVar(&f.name, "as", "", "name of the environment (default: the service's name)")
	flags.BoolVar(&f.back, "back", false, "give the daemon back to the service")
	flags.BoolVar(&f.yes, "yes", false, "with --back, do it; without, it is only shown")
	flags.BoolVar(&f.stopFirst, "stop-first", false,
		"with --back, stop the environment's task before the service's starts: for daemons that cannot run twice on a host")
	flags.DurationVar(&f.hostTimeout, "host-timeout", 5*time.Minute, "with --back, how long a host may take")
	f.wait.add(cmd)
	addDryRun(cmd, &f.dry)
	return cmd
}

func (f *migrateFlags) check(cmd *cobra.Command) error {
	switch {
	case f.file != "" && f.name != "":
		return usage(cmd, "-f and --as were given: allowed is one of them")
	case f.back && f.file != "":
		return usage(cmd, "--back and -f were given: with --back allowed is --as")
	case !f.back && (f.yes || f.stopFirst):
		return usage(cmd, "--yes and --stop-first are of use with --back only")
	case f.hostTimeout <= 0:
		return usage(cmd, "--host-timeout %s: allowed is a time such as 30s or 15m", f.hostTimeout)
	}
	return f.wait.check(cmd)
}

func (f *migrateFlags) run(cmd *cobra.Command, c *connection, ref string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	if f.cluster == "" {
		key, err := state.ClusterKeyFromARN(ref)
		if err != nil {
			return usage(cmd, "which cluster service %q is in is not known: give --cluster, or the service's ARN", ref)
		}
		f.cluster = key.ARN("")
	}
	blox, err := c.client(cmd)
	if err != nil {
		return err
	}
	loaded, err := c.aws(cmd)
	if err != nil {
		return err
	}
	m := migration{connection: c, cmd: cmd, blox: blox, ecs: ecs.NewFromConfig(loaded), flags: f}
	if m.service, err = describeDaemonService(cmd, m.ecs, f.cluster, ref); err != nil {
		return err
	}
	if f.back {
		return m.back()
	}
	return m.forward()
}

// migration is one run of blox migrate.
type migration struct {
	*connection
	cmd     *cobra.Command
	blox    *client.Client
	ecs     *ecs.Client
	flags   *migrateFlags
	service daemonService
}

func (m *migration) say(format string, args ...any) {
	fmt.Fprintf(m.cmd.OutOrStdout(), format+"\n", args...)
}

// manifest is the environment to be: the file's, or one like the service.
func (m *migration) manifest() (manifest, error) {
	if m.flags.file == "" {
		return m.service.manifest(firstOf(m.flags.name, m.service.name))
	}
	manifests, err := readManifests(m.cmd, m.flags.file)
	if err != nil {
		return manifest{}, err
	}
	if len(manifests) != 1 {
		return manifest{}, usage(m.cmd, "%s holds %d environments: allowed is one", m.flags.file, len(manifests))
	}
	made := manifests[0]
	if made.MigrateFrom != "" && made.MigrateFrom != m.service.name {
		return manifest{}, usage(m.cmd, "%s says migrateFrom %s: the service named is %s", m.flags.file, made.MigrateFrom, m.service.name)
	}
	made.MigrateFrom = m.service.name
	return made, nil
}

func (m *migration) forward() error {
	made, err := m.manifest()
	if err != nil {
		return err
	}
	before, err := m.blox.GetEnvironment(m.cmd.Context(), made.Name)
	if err != nil && client.StatusOf(err) != http.StatusNotFound {
		return err
	}
	definition, err := made.definition(&before.Revision)
	if err != nil {
		return err
	}
	if m.flags.dry {
		return m.showForward(made, definition)
	}
	// What the API refuses must leave the service as it is. That the service yields its hosts is what comes next.
	var plan client.Plan
	definition.MigrateFrom = ""
	if _, err := m.blox.PutEnvironment(m.cmd.Context(), made.Name, definition, client.WithDryRun(&plan)); err != nil {
		return fmt.Errorf("environment %s: %w", made.Name, err)
	}
	if !m.service.handsOver() {
		if err := m.service.addConstraint(m.cmd.Context(), m.ecs); err != nil {
			return err
		}
		m.say("service %s has the placement constraint %s now", m.service.name, handoverConstraint)
	}
	definition.MigrateFrom = m.service.name
	env, err := m.blox.PutEnvironment(m.cmd.Context(), made.Name, definition)
	if err != nil {
		return fmt.Errorf("environment %s: %w", made.Name, err)
	}
	m.say("environment %s has revision %d, which takes over from service %s", env.Name, env.Revision, m.service.name)
	dep, err := m.blox.CreateDeployment(m.cmd.Context(), env.Name, env.DeploymentToken)
	if err != nil {
		return err
	}
	if err := m.begun(m.cmd, m.blox, dep, m.flags.wait); err != nil {
		return err
	}
	if !m.flags.wait.wait {
		m.say("follow it with: blox rollout status %s", env.Name)
	}
	m.say("once it is completed and you are sure, delete the service: aws ecs delete-service --cluster %s --service %s --force",
		lastPart(m.service.clusterARN), m.service.name)
	return nil
}

func (m *migration) showForward(made manifest, definition client.EnvironmentDefinition) error {
	if !m.service.handsOver() {
		m.say("service %s would get the placement constraint %s", m.service.name, handoverConstraint)
	}
	m.say("environment %s would be:", made.Name)
	if err := printJSON(m.cmd.OutOrStdout(), definition); err != nil {
		return err
	}
	definition.BaseRevision = nil
	plan, err := m.blox.PlanEnvironment(m.cmd.Context(), made.Name, &definition)
	if err != nil {
		return err
	}
	return showPlan(m.cmd.OutOrStdout(), outputTable, plan)
}

// deleted ends the environment that was given back. Its tasks are gone by now; what a host that left may still have is
// stopped with it.
func (m *migration) deleted(name string) error {
	terminate := true
	err := m.blox.DeleteEnvironment(m.cmd.Context(), name, &terminate)
	if err != nil {
		return fmt.Errorf("deleting environment %s: %w", name, err)
	}
	return nil
}
