package observability

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/internal/table/schema"
)

// Blox's own metrics: most are written by the functions into their logs (CloudWatch's embedded metric format). The
// installation is their only dimension: each combination of dimensions is a metric of its own and billed as one. But
// HostsWithOnlyDaemons is by cluster too, for scaling policies.
const (
	// Namespace is theirs, Dimension the name of the one dimension, whose value is the installation's name. ClusterDimension
	// is the second one of what is by cluster, its value ACCOUNT/REGION/NAME.
	Namespace        = "Blox"
	Dimension        = "Installation"
	ClusterDimension = "Cluster"

	// FunctionCallsFailed is made from the API's access log: see api.failedCalls.
	FunctionCallsFailed = "FunctionCallsFailed"

	eventLagMillis            = "EventLagMillis"
	eventsStored              = "EventsStored"
	eventsDuplicate           = "EventsDuplicate"
	eventsStale               = "EventsStale"
	eventsSetAside            = "EventsSetAside"
	clustersUnsynced          = "ClustersUnsynced"
	heldAbsent                = "HeldAbsent"
	driftRepaired             = "DriftRepaired"
	recordsMissed             = "RecordsMissed"
	recordsStale              = "RecordsStale"
	recordsAbsent             = "RecordsAbsent"
	recordsResurrected        = "RecordsResurrected"
	recordsUnstorable         = "RecordsUnstorable"
	reconcilePassesFailed     = "ReconcilePassesFailed"
	hostsWithoutHealthyDaemon = "HostsWithoutHealthyDaemon"
	deploymentsStuck          = "DeploymentsStuck"
	hostsWithOnlyDaemons      = "HostsWithOnlyDaemons"
	deploymentsFailed         = "DeploymentsFailed"
	environmentsBlocked       = "EnvironmentsBlocked"
	deploymentsEnded          = "DeploymentsEnded"

	// Messages that a function handed back for another try. Lambda takes a batch of which some failed for a success.
	ingestMessagesFailed    = "IngestMessagesFailed"
	reconcileMessagesFailed = "ReconcileMessagesFailed"
	driveMessagesFailed     = "DriveMessagesFailed"
)

// Statistics of CloudWatch.
const (
	statisticSum     = "Sum"
	statisticMaximum = "Maximum"
	statisticP50     = "p50"
	statisticP90     = "p90"
	statisticP99     = "p99"
)

// minute is the unit of periods.
const minute = 1.0

// metrics makes metrics of one installation.
type metrics struct{ installation string }

// blox is one of the functions' own metrics.
func (m metrics) blox(name, statistic string, periodMinutes float64) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     jsii.String(Namespace),
		MetricName:    jsii.String(name),
		DimensionsMap: &map[string]*string{Dimension: jsii.String(m.installation)},
		Statistic:     jsii.String(statistic),
		Period:        minutes(periodMinutes),
	})
}

// byCluster is one of the functions' metrics for each cluster that has reported it lately: which do is not known here.
func (m metrics) byCluster(name, statistic string, periodMinutes float64) awscloudwatch.MathExpression {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(fmt.Sprintf(`SEARCH('{%s,%s,%s} MetricName=%q %s=%q', '%s', %.0f)`,
			Namespace, Dimension, ClusterDimension, name, Dimension, m.installation, statistic, 60*periodMinutes)),
		UsingMetrics: &map[string]awscloudwatch.IMetric{},
		// A text of its own would stand at every cluster's line.
		Label:  jsii.String(""),
		Period: minutes(periodMinutes),
	})
}

func minutes(n float64) awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(n)) }

func options(statistic string, periodMinutes float64, label string) *awscloudwatch.MetricOptions {
	o := &awscloudwatch.MetricOptions{Statistic: jsii.String(statistic), Period: minutes(periodMinutes)}
	if label != "" {
		o.Label = jsii.String(label)
	}
	return o
}

// ofQueue is a metric of SQS.
func ofQueue(queue awssqs.IQueue, name, statistic string, periodMinutes float64, label string) awscloudwatch.Metric {
	return queue.Metric(jsii.String(name), options(statistic, periodMinutes, label))
}

// ofFunction is a metric of Lambda.
func ofFunction(function awslambda.IFunction, name, statistic string, periodMinutes float64, label string) awscloudwatch.Metric {
	return function.Metric(jsii.String(name), options(statistic, periodMinutes, label))
}

// globalIndexes are the indexes with metrics of their own. What a local index takes is counted as its table's.
func globalIndexes(def schema.Table) []schema.Index {
	return slices.DeleteFunc(slices.Clone(def.Indexes), schema.Index.Local)
}

// ofTable is the sum of a metric of a DynamoDB table, or of one of its global indexes if index is not empty. DynamoDB
// counts such an index's units and throttles apart from its table's.
func ofTable(table awsdynamodb.ITable, index, name string, periodMinutes float64, label string) awscloudwatch.Metric {
	dimensions := map[string]*string{"TableName": table.TableName()}
	if index != "" {
		dimensions["GlobalSecondaryIndexName"] = jsii.String(index)
	}
	props := &awscloudwatch.MetricProps{
		Namespace:     jsii.String("AWS/DynamoDB"),
		MetricName:    jsii.String(name),
		DimensionsMap: &dimensions,
		Statistic:     jsii.String(statisticSum),
		Period:        minutes(periodMinutes),
	}
	if label != "" {
		props.Label = jsii.String(label)
	}
	return awscloudwatch.NewMetric(props)
}

// named pairs a function with its name.
type named struct {
	name     string
	function awslambda.IFunction
	// messagesFailed is the metric of the messages that it handed back; empty for a function without a queue.
	messagesFailed string
}

// list is all functions, in the order of the flow.
func (f Functions) list() []named {
	return []named{
		{"ingest", f.Ingest, ingestMessagesFailed},
		{"reconcile", f.Reconcile, reconcileMessagesFailed},
		// Dispatch hands records of a stream back, which holds up their shard: IteratorAge shows it.
		{"dispatch", f.Dispatch, ""},
		{"drive", f.Drive, driveMessagesFailed},
		{"api", f.API, ""},
		{"stream", f.Stream, ""},
	}
}
