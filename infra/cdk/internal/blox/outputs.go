package blox

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/api"
	"github.com/blox/blox/infra/cdk/internal/daemon"
	"github.com/blox/blox/infra/cdk/internal/events"
	"github.com/blox/blox/infra/cdk/internal/observability"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/state"
)

type parts struct {
	tables *state.State
	in     *events.Events
	work   *daemon.Daemon
	rest   *api.API
	watch  *observability.Observability
}

// outputs are what others read from the stack: the command line client and doctor by name, consumers the stream's ARN.
// A name that is published here stays.
func outputs(stack awscdk.Stack, s *settings.Settings, p parts) {
	for _, output := range []struct {
		name, description string
		value             *string
	}{
		{"ApiUrl", "Where the API's paths begin", p.rest.URL},
		{"Installation", "Name of the installation", jsii.String(s.Installation)},
		{"Version", "Version that was deployed", jsii.String(s.Version)},
		{"ReconcileMinutes", "Time between two sweeps of all clusters", jsii.String(strconv.Itoa(s.ReconcileMinutes))},
		{"StateTableName", "Table of tasks, container instances and clusters", p.tables.State.TableName()},
		{"StateTableArn", "Table of tasks, container instances and clusters", p.tables.State.TableArn()},
		{"StateStreamArn", "Stream of the state table; one more reader may follow it", p.tables.State.TableStreamArn()},
		{"DaemonTableName", "Table of environments and deployments", p.tables.Daemon.TableName()},
		{"DaemonTableArn", "Table of environments and deployments", p.tables.Daemon.TableArn()},
		{"AlarmTopicArn", "Topic that alarms are sent to", p.watch.Topic.TopicArn()},
		{"EventBusName", "Bus of what Blox announces", jsii.String(events.BusName(s.Installation))},
		{"ReconcileQueueUrl", "Requests to reconcile", p.work.Reconcile.QueueUrl()},
		{"WakeupQueueUrl", "Wake-ups of the scheduler", p.work.Wakeups.QueueUrl()},
		{"EventsQueueUrl", "ECS events on their way to ingest", p.in.Queue.QueueUrl()},
		{"EventsDeadLettersUrl", "Events that could not be stored", p.in.DeadLetters.QueueUrl()},
		{"RuleDeadLettersUrl", "Events that EventBridge could not deliver", p.in.RuleDeadLetters.QueueUrl()},
		{"ReconcileDeadLettersUrl", "Requests to reconcile that failed", p.work.ReconcileDeadLetters.QueueUrl()},
		{"WakeupsDeadLettersUrl", "Wake-ups that failed", p.work.WakeupsDeadLetters.QueueUrl()},
		{"StreamFailuresUrl", "Stream records that could not be worked on", p.work.StreamFailures.QueueUrl()},
		{"ScheduleDeadLettersUrl", "Schedules that could not be invoked", p.work.ScheduleDeadLetters.QueueUrl()},
	} {
		awscdk.NewCfnOutput(stack, jsii.String(output.name), &awscdk.CfnOutputProps{
			Description: jsii.String(output.description), Value: output.value,
		})
	}
}
