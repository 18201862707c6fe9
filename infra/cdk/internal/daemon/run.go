package daemon

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/internal/table/schema"
)

const (
	// reconcileBatch is one request, since a pass over a cluster may take the whole of the function's timeout. A batch of a
	// FIFO queue may hold requests of several groups, and they would be worked on one after the other, within that timeout.
	reconcileBatch = 1
	// wakeupBatch is SQS's largest without a window. The function reports failures one by one.
	wakeupBatch = 10
	// reconcileAtOnce bounds the clusters that are reconciled at the same time. Those of one account and region share its
	// budget of calls, which a few large clusters use up between them: more at once would only wait for it, at the price of
	// Lambda. With ten, the members' clusters do not wait for a slow one at home.
	reconcileAtOnce = 10
	// driveAtOnce bounds the environments that are worked on at the same time; those above it wait in the queue.
	driveAtOnce = 10

	streamBatch = 100
	// streamRetries and streamHours bound how long a record that cannot be read holds back its shard. What is given up
	// goes missing from the feed, so the bound is for broken records and not for outages: those of DynamoDB and SQS are
	// waited out for hours.
	streamRetries = 100
	streamHours   = 6
)

// RunProps is what Run connects.
type RunProps struct {
	Settings                   *settings.Settings
	StateTable                 awsdynamodb.Table
	Reconcile, Dispatch, Drive awslambda.Function
}

// Run makes the functions be invoked: by their queues, by the stream, and by the schedules.
func (d *Daemon) Run(props RunProps) {
	awslambda.NewEventSourceMapping(d.scope, jsii.String("ReconcileMapping"), &awslambda.EventSourceMappingProps{
		Target:                  props.Reconcile,
		EventSourceArn:          d.Reconcile.QueueArn(),
		BatchSize:               jsii.Number(reconcileBatch),
		MaxConcurrency:          jsii.Number(reconcileAtOnce),
		ReportBatchItemFailures: jsii.Bool(true),
	})
	awslambda.NewEventSourceMapping(d.scope, jsii.String("WakeupsMapping"), &awslambda.EventSourceMappingProps{
		Target:                  props.Drive,
		EventSourceArn:          d.Wakeups.QueueArn(),
		BatchSize:               jsii.Number(wakeupBatch),
		MaxConcurrency:          jsii.Number(driveAtOnce),
		ReportBatchItemFailures: jsii.Bool(true),
	})
	stream := awslambda.NewEventSourceMapping(d.scope, jsii.String("StreamMapping"), &awslambda.EventSourceMappingProps{
		Target:         props.Dispatch,
		EventSourceArn: props.StateTable.TableStreamArn(),
		// From the beginning: nothing that was written while the mapping was being made is left out.
		StartingPosition:        awslambda.StartingPosition_TRIM_HORIZON,
		BatchSize:               jsii.Number(streamBatch),
		BisectBatchOnError:      jsii.Bool(true),
		RetryAttempts:           jsii.Number(streamRetries),
		MaxRecordAge:            awscdk.Duration_Hours(jsii.Number(streamHours)),
		ReportBatchItemFailures: jsii.Bool(true),
		Filters:                 &[]*map[string]any{notOfTheFeed()},
	})
	// The construct's own way also grants what a destination does not need.
	stream.Node().DefaultChild().(awslambda.CfnEventSourceMapping).SetDestinationConfig(
		&awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: d.StreamFailures.QueueArn()},
		})
	d.schedules(props)
}

// notOfTheFeed keeps out what dispatch writes itself: else each of its writes would invoke it again. The feed's partitions
// are named one by one, because Lambda's filters know "anything but" a list, and not "anything but a prefix" as EventBridge's
// do.
func notOfTheFeed() *map[string]any {
	partitions := make([]any, schema.FeedShards)
	for shard := range partitions {
		partitions[shard] = fmt.Sprintf("feed/%d", shard)
	}
	return awslambda.FilterCriteria_Filter(&map[string]any{
		"dynamodb": map[string]any{
			"Keys": map[string]any{
				schema.PartitionKey: map[string]any{"S": []any{map[string]any{"anything-but": partitions}}},
			},
		},
	})
}
