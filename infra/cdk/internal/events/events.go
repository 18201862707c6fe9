// Package events brings ECS's events to Blox, and Blox's own to people: the rule on the account's default bus, the
// queue in front of the ingest function, and the installation's own bus.
package events

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/queues"
	"github.com/blox/blox/infra/cdk/internal/settings"
)

const (
	// visibilitySeconds is six times the ingest function's timeout, as AWS advises: a batch that is still being worked on
	// is not delivered a second time.
	visibilitySeconds = 120
	// maxReceives is so high because ingest sets aside by itself what can never be stored: what fails here fails because
	// of an outage, and at two minutes a try it may last longer than a day.
	maxReceives = 1000
	// ingestAtOnce bounds the ingest functions that run at the same time. Each stores a batch of ten in some 50 ms: 2,000
	// events a second, above what ECS's own call limits let an account and region bring about.
	ingestAtOnce = 10
	batch        = 10
)

// Events is the way in and the way out.
type Events struct {
	scope constructs.Construct

	// Queue is what ingest reads; DeadLetters is what it, or SQS, set aside.
	Queue       awssqs.Queue
	DeadLetters awssqs.Queue
	// RuleDeadLetters holds events that EventBridge could not put into Queue.
	RuleDeadLetters awssqs.Queue
	Rule            awsevents.Rule
	// Bus gets what Blox announces. People put their own rules on it.
	Bus awsevents.EventBus
}

// Props is what Events needs.
type Props struct {
	Settings *settings.Settings
}

// BusName is the name of an installation's bus. It is used as it is where a reference would do too: emulators answer a
// reference to a bus with something else than its name.
func BusName(installation string) string { return "blox-" + installation }

// New makes rule, queues and bus. Feed connects them to the ingest function.
func New(scope constructs.Construct, id string, props Props) *Events {
	e := &Events{scope: constructs.NewConstruct(scope, jsii.String(id))}
	stack := awscdk.Stack_Of(e.scope)
	e.Queue, e.DeadLetters = queues.New(e.scope, "Queue", queues.Props{
		VisibilitySeconds: visibilitySeconds, MaxReceives: maxReceives, RetentionDays: 14,
	})
	e.RuleDeadLetters = queues.NewDead(e.scope, "RuleDeadLetters")
	e.Rule = awsevents.NewRule(e.scope, jsii.String("Rule"), &awsevents.RuleProps{
		Description:  jsii.String("ECS events for the Blox installation " + props.Settings.Installation),
		EventPattern: Pattern(&[]*string{stack.Account()}, &[]*string{stack.Region()}),
		Targets:      &[]awsevents.IRuleTarget{Target(e.Queue, e.RuleDeadLetters)},
	})
	e.Bus = awsevents.NewEventBus(e.scope, jsii.String("Bus"), &awsevents.EventBusProps{
		EventBusName: jsii.String(BusName(props.Settings.Installation)),
		Description:  jsii.String("What the Blox installation " + props.Settings.Installation + " announces: deployments that ended, failed or are stuck"),
	})
	return e
}

// Target is the queue as a rule's target: EventBridge tries for a day, its longest, and then sets the event aside.
func Target(queue, dead awssqs.IQueue) awsevents.IRuleTarget {
	return awseventstargets.NewSqsQueue(queue, &awseventstargets.SqsQueueProps{
		DeadLetterQueue: dead,
		MaxEventAge:     awscdk.Duration_Hours(jsii.Number(24)),
		RetryAttempts:   jsii.Number(185),
	})
}

// Feed makes ingest read the queue.
func (e *Events) Feed(ingest awslambda.Function) {
	awslambda.NewEventSourceMapping(e.scope, jsii.String("Mapping"), &awslambda.EventSourceMappingProps{
		Target:         ingest,
		EventSourceArn: e.Queue.QueueArn(),
		BatchSize:      jsii.Number(batch),
		// A longer window saves two cents in a million events, and costs its length in freshness.
		MaxBatchingWindow:       awscdk.Duration_Seconds(jsii.Number(0)),
		MaxConcurrency:          jsii.Number(ingestAtOnce),
		ReportBatchItemFailures: jsii.Bool(true),
	})
}
