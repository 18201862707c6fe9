package observability

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/internal/table/schema"
)

// The console's grid is 24 wide; three graphs a row can still be read on a laptop.
const (
	graphWidth  = 8
	graphHeight = 6
	fullWidth   = 24
)

// newDashboard shows the questions of an on-call engineer from top to bottom: is anything wrong, is the state fresh, do
// events come in, does reconcile run, do daemons roll, does the API answer, and what is paid for.
func newDashboard(scope constructs.Construct, props Props, m metrics, alarms []awscloudwatch.Alarm) awscloudwatch.Dashboard {
	dashboard := awscloudwatch.NewDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		// Dashboards are global in an account: the region keeps two installations of one name apart.
		DashboardName:   jsii.String(Prefix(props.Settings.Installation) + *awscdk.Stack_Of(scope).Region()),
		DefaultInterval: awscdk.Duration_Hours(jsii.Number(12)),
	})
	all := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, a := range alarms {
		// By name, which is given, and not by Fn::GetAtt: emulators know no alarms, and refuse a template that refers to one.
		name := *a.Node().Id()
		all[i] = awscloudwatch.Alarm_FromAlarmName(dashboard, jsii.String(name), jsii.String(Prefix(props.Settings.Installation)+name))
	}
	dashboard.AddWidgets(awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms"), Alarms: &all, Width: jsii.Number(fullWidth), Height: jsii.Number(5),
	}))
	for _, s := range sections(props, m) {
		dashboard.AddWidgets(awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{
			Markdown: jsii.String(fmt.Sprintf("## %s\n%s", s.title, s.explains)), Width: jsii.Number(fullWidth), Height: jsii.Number(2),
		}))
		widgets := make([]awscloudwatch.IWidget, len(s.graphs))
		for i, g := range s.graphs {
			widgets[i] = g.widget()
		}
		dashboard.AddWidgets(widgets...)
	}
	return dashboard
}

// section is a headline and the graphs below it.
type section struct {
	title, explains string
	graphs          []graph
}

// graph is one widget. right has an axis of its own.
type graph struct {
	title       string
	left, right []awscloudwatch.IMetric
}

func (g graph) widget() awscloudwatch.IWidget {
	props := &awscloudwatch.GraphWidgetProps{
		Title: jsii.String(g.title), Left: &g.left, Width: jsii.Number(graphWidth), Height: jsii.Number(graphHeight),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0)},
	}
	if len(g.right) > 0 {
		props.Right = &g.right
		props.RightYAxis = &awscloudwatch.YAxisProps{Min: jsii.Number(0)}
	}
	return awscloudwatch.NewGraphWidget(props)
}

func sections(props Props, m metrics) []section {
	return []section{
		freshness(props, m),
		events(props, m),
		reconcile(props, m),
		rollouts(props, m),
		api(props, m),
		costDrivers(props),
	}
}

func freshness(props Props, m metrics) section {
	return section{"Freshness", "How old the state is. Above two minutes rollouts stand still.", []graph{
		{title: "Event lag, ms (time of the event to stored)", left: []awscloudwatch.IMetric{
			m.blox(eventLagMillis, statisticP50, minute),
			m.blox(eventLagMillis, statisticP90, minute),
			m.blox(eventLagMillis, statisticMaximum, minute),
		}},
		{title: "Oldest message, s", left: []awscloudwatch.IMetric{
			ofQueue(props.EventsQueue, "ApproximateAgeOfOldestMessage", statisticMaximum, minute, "events"),
			ofQueue(props.ReconcileQueue, "ApproximateAgeOfOldestMessage", statisticMaximum, minute, "reconcile"),
			ofQueue(props.WakeupQueue, "ApproximateAgeOfOldestMessage", statisticMaximum, minute, "wake-ups"),
		}},
		{title: "Age of the stream's changes at dispatch, ms", left: []awscloudwatch.IMetric{
			ofFunction(props.Functions.Dispatch, "IteratorAge", statisticMaximum, minute, "dispatch"),
		}},
	}}
}

func events(props Props, m metrics) section {
	deadLetters := make([]awscloudwatch.IMetric, len(props.DeadLetters))
	for i, d := range props.DeadLetters {
		deadLetters[i] = ofQueue(d.Queue, "ApproximateNumberOfMessagesVisible", statisticMaximum, 5*minute, d.Name)
	}
	return section{"Events", "From EventBridge to the state.", []graph{
		{title: "Events into the queue, and set aside", left: []awscloudwatch.IMetric{
			ofQueue(props.EventsQueue, "NumberOfMessagesSent", statisticSum, 5*minute, "sent"),
			ofQueue(props.EventsQueue, "NumberOfMessagesDeleted", statisticSum, 5*minute, "handled"),
		}, right: []awscloudwatch.IMetric{m.blox(eventsSetAside, statisticSum, 5*minute)}},
		{title: "What became of events", left: []awscloudwatch.IMetric{
			m.blox(eventsStored, statisticSum, 5*minute),
			m.blox(eventsDuplicate, statisticSum, 5*minute),
			m.blox(eventsStale, statisticSum, 5*minute),
		}},
		{title: "ingest: runs, and ms a run", left: append(runs(props.Functions.Ingest), m.blox(ingestMessagesFailed, statisticSum, 5*minute)), right: durations(props.Functions.Ingest)},
		{title: "Dead-letter queues, messages", left: deadLetters},
	}}
}

func reconcile(props Props, m metrics) section {
	return section{"Reconcile", "What events should have told and did not. Tags, attributes and health change without an event and are not counted.", []graph{
		{title: "Drift repaired, absences held back", left: []awscloudwatch.IMetric{
			m.blox(driftRepaired, statisticSum, 5*minute),
			m.blox(heldAbsent, statisticSum, 5*minute),
		}},
		// Missed and stale say that events are lost or late, absent that the ends of things are, resurrected that an end was
		// inferred too early. What is unstorable is no drift: it stays as it is.
		{title: "Drift by what it was", left: []awscloudwatch.IMetric{
			m.blox(recordsMissed, statisticSum, 5*minute),
			m.blox(recordsStale, statisticSum, 5*minute),
			m.blox(recordsAbsent, statisticSum, 5*minute),
			m.blox(recordsResurrected, statisticSum, 5*minute),
		}, right: []awscloudwatch.IMetric{m.blox(recordsUnstorable, statisticSum, 5*minute)}},
		{title: "Clusters not synced, passes that failed", left: []awscloudwatch.IMetric{
			m.blox(clustersUnsynced, statisticMaximum, 5*minute),
			m.blox(reconcilePassesFailed, statisticSum, 5*minute),
		}},
		{title: "reconcile: runs, and ms a run", left: append(runs(props.Functions.Reconcile), m.blox(reconcileMessagesFailed, statisticSum, 5*minute)), right: durations(props.Functions.Reconcile)},
	}}
}

func rollouts(props Props, m metrics) section {
	return section{"Rollouts", "Daemons on hosts. The worst environment of the installation is shown.", []graph{
		{title: "Hosts without a healthy daemon, environments that cannot start any", left: []awscloudwatch.IMetric{
			m.blox(hostsWithoutHealthyDaemon, statisticMaximum, 15*minute),
			m.blox(environmentsBlocked, statisticMaximum, 15*minute),
		}},
		{title: "Deployments", left: []awscloudwatch.IMetric{
			m.blox(deploymentsEnded, statisticSum, 5*minute),
			m.blox(deploymentsFailed, statisticSum, 5*minute),
			m.blox(deploymentsStuck, statisticMaximum, 15*minute),
		}},
		{title: "Hosts with nothing but daemons, by cluster", left: []awscloudwatch.IMetric{
			m.byCluster(hostsWithOnlyDaemons, statisticMaximum, 15*minute),
		}},
		{title: "drive: runs, and ms a run", left: append(runs(props.Functions.Drive), m.blox(driveMessagesFailed, statisticSum, 5*minute)), right: durations(props.Functions.Drive)},
	}}
}

func api(props Props, m metrics) section {
	return section{"API", "Requests, errors and watchers.", []graph{
		{title: "Requests and errors", left: []awscloudwatch.IMetric{
			props.Stage.MetricCount(options(statisticSum, 5*minute, "requests")),
			props.Stage.MetricClientError(options(statisticSum, 5*minute, "4xx")),
			props.Stage.MetricServerError(options(statisticSum, 5*minute, "5xx")),
			m.blox(FunctionCallsFailed, statisticSum, 5*minute),
		}},
		{title: "Latency, ms (streams and polls included)", left: []awscloudwatch.IMetric{
			ofFunction(props.Functions.API, "Duration", statisticP50, 5*minute, "api p50"),
			ofFunction(props.Functions.API, "Duration", statisticP99, 5*minute, "api p99"),
			props.Stage.MetricLatency(options(statisticP50, 5*minute, "API Gateway p50")),
		}},
		{title: "Watchers, and those turned away", left: []awscloudwatch.IMetric{
			ofFunction(props.Functions.Stream, "ConcurrentExecutions", statisticMaximum, minute, "connected"),
		}, right: []awscloudwatch.IMetric{
			ofFunction(props.Functions.Stream, "Throttles", statisticSum, minute, "turned away"),
		}},
	}}
}

func costDrivers(props Props) section {
	var invocations []awscloudwatch.IMetric
	for _, f := range props.Functions.list() {
		invocations = append(invocations, ofFunction(f.function, "Invocations", statisticSum, 60*minute, f.name))
	}
	units := []awscloudwatch.IMetric{
		ofTable(props.StateTable, "", "ConsumedWriteCapacityUnits", 60*minute, "state, writes"),
	}
	for _, index := range globalIndexes(schema.State) {
		units = append(units, ofTable(props.StateTable, index.Name, "ConsumedWriteCapacityUnits", 60*minute, index.Name+", writes"))
	}
	units = append(units,
		ofTable(props.DaemonTable, "", "ConsumedWriteCapacityUnits", 60*minute, "daemon, writes"),
		ofTable(props.StateTable, "", "ConsumedReadCapacityUnits", 60*minute, "state, reads"),
		ofTable(props.DaemonTable, "", "ConsumedReadCapacityUnits", 60*minute, "daemon, reads"))
	return section{"What is paid for", "By the hour. Prices and a calculation: docs/deploy.md, section Costs.", []graph{
		{title: "DynamoDB units", left: units},
		{title: "Invocations", left: invocations},
		{title: "SQS: empty receives", left: []awscloudwatch.IMetric{
			ofQueue(props.EventsQueue, "NumberOfEmptyReceives", statisticSum, 60*minute, "events"),
			ofQueue(props.ReconcileQueue, "NumberOfEmptyReceives", statisticSum, 60*minute, "reconcile"),
			ofQueue(props.WakeupQueue, "NumberOfEmptyReceives", statisticSum, 60*minute, "wake-ups"),
		}},
	}}
}

func runs(function awslambda.IFunction) []awscloudwatch.IMetric {
	return []awscloudwatch.IMetric{
		ofFunction(function, "Invocations", statisticSum, 5*minute, "runs"),
		ofFunction(function, "Errors", statisticSum, 5*minute, "errors"),
	}
}

func durations(function awslambda.IFunction) []awscloudwatch.IMetric {
	return []awscloudwatch.IMetric{ofFunction(function, "Duration", statisticP90, 5*minute, "p90")}
}
