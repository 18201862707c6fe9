// Package blox puts an installation's stack together: each construct has one subject, and what they need of one another
// is passed on here.
//
//	state          two tables
//	events         rule on the default bus, queue in front of ingest, the installation's own bus
//	daemon         queues of reconcile and scheduler, schedules, what invokes the functions
//	functions      six functions, a role each
//	api            REST API and the managed policies of the people who call it
//	observability  alarms and dashboard
//	member         bus for other accounts and regions, where there are any
package blox

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/api"
	"github.com/blox/blox/infra/cdk/internal/daemon"
	"github.com/blox/blox/infra/cdk/internal/events"
	"github.com/blox/blox/infra/cdk/internal/functions"
	"github.com/blox/blox/infra/cdk/internal/member"
	"github.com/blox/blox/infra/cdk/internal/observability"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/state"
)

// StackName is the name of an installation's stack.
func StackName(installation string) string { return "Blox-" + installation }

// NewStack makes what the settings ask for: the installation's own stack, or that of a member.
func NewStack(app awscdk.App, s *settings.Settings) (awscdk.Stack, error) {
	// On every resource, so that costs and inventories can be told apart by installation.
	awscdk.Tags_Of(app).Add(jsii.String("blox:installation"), jsii.String(s.Installation), &awscdk.TagProps{
		// CloudFormation learned to tag dashboards late: where it, or an emulator, has not, it refuses the property.
		ExcludeResourceTypes: jsii.Strings("AWS::CloudWatch::Dashboard"),
	})
	if s.IsMember() {
		return memberStack(app, s), nil
	}
	stack := awscdk.NewStack(app, jsii.String(StackName(s.Installation)), stackProps("Blox: state of ECS clusters, and daemons", s))
	tables := state.New(stack, "State", state.Props{Settings: s})
	in := events.New(stack, "Events", events.Props{Settings: s})
	work := daemon.New(stack, "Daemon", daemon.Props{Settings: s})
	all := functions.New(stack, "Functions", functions.Props{Settings: s, State: tables, Events: in, Daemon: work})
	in.Feed(all.Ingest)
	work.Run(daemon.RunProps{
		Settings: s, StateTable: tables.State, Reconcile: all.Reconcile, Dispatch: all.Dispatch, Drive: all.Drive,
	})
	if len(s.Members) > 0 {
		member.NewCentral(stack, "Members", member.CentralProps{Settings: s, EventsQueue: in.Queue, DeadLetters: in.RuleDeadLetters})
	}
	rest, err := api.New(stack, "API", api.Props{Settings: s, API: all.API, Stream: all.Stream})
	if err != nil {
		return nil, fmt.Errorf("making the API: %w", err)
	}
	deadLetters(rest.Operator, stack, in, work)
	watch := observability.New(stack, "Observability", observed(s, tables, in, work, all, rest))
	outputs(stack, s, parts{tables, in, work, rest, watch})
	return stack, nil
}

func memberStack(app awscdk.App, s *settings.Settings) awscdk.Stack {
	return member.NewStack(app, member.StackName(s.Installation), s, stackProps("Blox: a member account or region", s))
}

// stackProps leave account and region to the command that deploys: the template is the same wherever it goes.
func stackProps(description string, s *settings.Settings) *awscdk.StackProps {
	return &awscdk.StackProps{
		Description: jsii.String(description + " (installation " + s.Installation + ")"),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			// The rule compares the bootstrap stack's version with what this stack needs. The CDK command does so itself, and
			// emulators do not know the parameter type that the rule reads it by.
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	}
}

func observed(
	s *settings.Settings, tables *state.State, in *events.Events, work *daemon.Daemon, all *functions.Functions, rest *api.API,
) observability.Props {
	return observability.Props{
		Settings: s,
		Functions: observability.Functions{
			Ingest: all.Ingest, Reconcile: all.Reconcile, Dispatch: all.Dispatch, Drive: all.Drive, API: all.API, Stream: all.Stream,
		},
		EventsQueue:    in.Queue,
		ReconcileQueue: work.Reconcile,
		WakeupQueue:    work.Wakeups,
		DeadLetters: []observability.DeadLetters{
			{Name: "events", Queue: in.DeadLetters},
			{Name: "rule", Queue: in.RuleDeadLetters},
			{Name: "reconcile", Queue: work.ReconcileDeadLetters},
			{Name: "wakeups", Queue: work.WakeupsDeadLetters},
			{Name: "stream", Queue: work.StreamFailures},
			{Name: "schedules", Queue: work.ScheduleDeadLetters},
		},
		StateTable:  tables.State,
		DaemonTable: tables.Daemon,
		Stage:       rest.REST.DeploymentStage(),
	}
}
