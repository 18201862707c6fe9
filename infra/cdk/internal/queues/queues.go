// Package queues makes SQS queues as all of Blox's are: encrypted, closed to calls without TLS, and with a dead-letter
// queue that keeps messages for as long as SQS can.
package queues

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// maxRetentionDays is SQS's limit.
const maxRetentionDays = 14

// Props says what a queue is like.
type Props struct {
	// VisibilitySeconds is how long a message that was received is hidden; more than its function's timeout.
	VisibilitySeconds int
	// MaxReceives is how often a message is delivered before it is set aside.
	MaxReceives int
	// RetentionDays is how long a message waits, at most 14 days.
	RetentionDays int
	// FIFO keeps the order within a group, and delivers to one function at a time in it.
	FIFO bool
}

// New makes a queue and its dead-letter queue, named id and idDeadLetters.
func New(scope constructs.Construct, id string, props Props) (queue, dead awssqs.Queue) {
	dead = NewDead(scope, id+"DeadLetters", props.FIFO)
	queue = awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		Fifo:              fifo(props.FIFO),
		RetentionPeriod:   awscdk.Duration_Days(jsii.Number(props.RetentionDays)),
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(props.VisibilitySeconds)),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(props.MaxReceives)},
	})
	return queue, dead
}

// NewDead makes a queue for what could not be delivered.
func NewDead(scope constructs.Construct, id string, isFIFO bool) awssqs.Queue {
	dead := awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption: awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL: jsii.Bool(true),
		Fifo:       fifo(isFIFO),
		// A message keeps its age when it is set aside: with less, it could be gone before anybody looks.
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(maxRetentionDays)),
	})
	cdknag.NagSuppressions_AddResourceSuppressions(dead, &[]*cdknag.NagPackSuppression{{
		Id:     jsii.String("AwsSolutions-SQS3"),
		Reason: jsii.String("It is a dead-letter queue itself: people look at what lies in it, no consumer can fail on it."),
	}}, nil)
	return dead
}

// fifo is true or absent: SQS refuses the property FifoQueue with the value false.
func fifo(is bool) *bool {
	if !is {
		return nil
	}
	return jsii.Bool(true)
}
