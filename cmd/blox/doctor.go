package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/doctor"
)

// doctorFlags are those of doctor alone.
type doctorFlags struct {
	canary           doctor.Canary
	canarySeconds    int
	reconcileMinutes int
	output           outputFlags
}

func newDoctorCommand(c *connection) *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check an installation from outside, and say what to do about what is wrong",
		Long: `Check an installation from outside, and say what to do about what is wrong:

  credentials   AWS takes them
  stack         it is wholly deployed (with --stack)
  api           it answers
  permissions   clusters, tasks, instances and environments may be read
  reconcile     each cluster was reconciled with ECS within two periods
  events        none is reported to be late, and none waits in the queue (with --stack)
  dead letters  the queues are empty (with --stack, or of a blox local)
  alarms        none is in ALARM, and each tells somebody (with --stack)
  canary        a task that is started in ECS, and stopped again, is seen (with --cluster and --canary-task-definition)

Nothing is changed but by the canary: it runs one task, which is stopped in the end, also after Ctrl-C or a failure.
Against blox local, set AWS_ENDPOINT_URL_ECS to the simulator's address for it, and AWS_ACCESS_KEY_ID and so on to anything.

The exit code is 0 if no check failed; warnings do not count.`,
		Example: "  blox doctor --stack Blox-blox\n  blox doctor --stack Blox-blox --cluster edge --canary-task-definition canary -o json",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.canary.Cluster, "cluster", "", "cluster to run the canary in (name or ARN)")
	flags.StringVar(&f.canary.TaskDefinition, "canary-task-definition", "", "what to run as the canary: FAMILY, FAMILY:REVISION or ARN")
	flags.IntVar(&f.canarySeconds, "canary-seconds", 30, "how much later than in ECS the canary may be seen, 1 to 600")
	flags.IntVar(&f.reconcileMinutes, "reconcile-minutes", 5, "the installation's reconcile period, 1 to 60, where no stack tells it (without --stack)")
	f.output.addForm(cmd)
	return cmd
}

func (f *doctorFlags) run(cmd *cobra.Command, c *connection) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	cfg, err := f.config(cmd, c)
	if err != nil {
		return err
	}
	report := doctor.Run(cmd.Context(), cfg)
	if f.output.form == outputJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = printReport(cmd.OutOrStdout(), report)
	}
	if failed := report.Failed(); err == nil && failed > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d results are failures", failed, len(report.Results))}
	}
	return err
}

func (f *doctorFlags) check(cmd *cobra.Command) error {
	switch {
	case (f.canary.Cluster == "") != (f.canary.TaskDefinition == ""):
		return usage(cmd, "a canary needs --cluster and --canary-task-definition: one of them is missing")
	case f.canarySeconds < 1 || f.canarySeconds > 600:
		return usage(cmd, "--canary-seconds %d: allowed are 1 to 600", f.canarySeconds)
	case f.reconcileMinutes < 1 || f.reconcileMinutes > 60:
		return usage(cmd, "--reconcile-minutes %d: allowed are 1 to 60", f.reconcileMinutes)
	}
	return f.output.check(cmd)
}

func (f *doctorFlags) config(cmd *cobra.Command, c *connection) (doctor.Config, error) {
	name, err := c.stackName(cmd)
	if err != nil {
		return doctor.Config{}, err
	}
	cfg := doctor.Config{
		StackName: name, Endpoint: c.plainEndpoint(), ReconcilePeriod: time.Duration(f.reconcileMinutes) * time.Minute,
		Connect: func(endpoint string) (doctor.Blox, error) { return c.clientOf(cmd, endpoint) },
		Explain: func(err error) string {
			_, text := explain(err)
			return text
		},
		Why: why,
		Now: c.now, Pause: c.pause, NewID: func() string { return uuid.NewString()[:8] },
	}
	// What is no blox local skips the check, as before: whether the endpoint answers at all is a check of its own.
	if name == "" && strings.HasPrefix(cfg.Endpoint, "http:") {
		if api, outputs, err := localQueues(cmd.Context(), cfg.Endpoint); err == nil {
			cfg.Local = &doctor.Local{Outputs: outputs, Queues: api}
		}
	}
	if f.canary.Cluster != "" {
		canary := f.canary
		canary.Within = time.Duration(f.canarySeconds) * time.Second
		cfg.Canary = &canary
	}
	signs, err := c.signs(cmd, cfg.Endpoint)
	if err != nil {
		return doctor.Config{}, err
	}
	// Keys that a server without TLS takes may be its own, as those of blox local are: AWS is not asked who they are.
	ofAWS := name != "" || signs && strings.HasPrefix(cfg.Endpoint, "https:")
	if !ofAWS && cfg.Canary == nil {
		return cfg, nil
	}
	if cfg.AWS, err = c.services(cmd, name); err == nil && !ofAWS {
		cfg.AWS.Identity = nil
	}
	return cfg, err
}

// services are the clients of the account's services, in the region of the stack or else of the API.
func (c *connection) services(cmd *cobra.Command, stackName string) (*doctor.AWS, error) {
	region := ""
	if stackName == "" {
		region = client.SigningRegion(c.plainEndpoint())
	}
	loaded, err := c.awsIn(cmd, region)
	if err != nil {
		return nil, err
	}
	return &doctor.AWS{
		Identity: sts.NewFromConfig(loaded), Stacks: cloudformation.NewFromConfig(loaded), Queues: sqs.NewFromConfig(loaded),
		Alarms: cloudwatch.NewFromConfig(loaded), ECS: ecs.NewFromConfig(loaded),
	}, nil
}

// printReport shows a line for each result, and below it what there is to do.
func printReport(w io.Writer, report doctor.Report) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STATUS\tCHECK\tSEEN")
	for _, r := range report.Results {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Status, r.Check, cell(r.Seen))
		if r.Do != "" {
			fmt.Fprintf(table, "\t\t-> %s\n", cell(r.Do))
		}
	}
	return table.Flush()
}
