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
	// FIFO is the name of a queue that keeps the order within a group, and delivers to one function at a time in it; empty
	// for a standard queue, which CloudFormation names. It would name this one too, but emulators make names up that do
	// not end in .fifo, and then refuse them. The suffix is added here.
	FIFO string
}

// New makes a queue and its dead-letter queue, named id and idDeadLetters.
func New(scope constructs.Construct, id string, props Props) (queue, dead awssqs.Queue) {
	deadName := ""
	if props.FIFO != "" {
		deadName = props.FIFO + "-dead-letters"
	}
	dead = newDead(scope, id+"DeadLetters", deadName)
	with := common(props.FIFO)
	with.RetentionPeriod = awscdk.Duration_Days(jsii.Number(props.RetentionDays))
	with.VisibilityTimeout = awscdk.Duration_Seconds(jsii.Number(props.VisibilitySeconds))
	with.DeadLetterQueue = &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(props.MaxReceives)}
	return awssqs.NewQueue(scope, jsii.String(id), with), dead
}

// NewDead makes a standard queue for what could not be delivered.
func NewDead(scope constructs.Construct, id string) awssqs.Queue { return newDead(scope, id, "") }

func newDead(scope constructs.Construct, id, fifo string) awssqs.Queue {
	with := common(fifo)
	// A message keeps its age when it is set aside: with less, it could be gone before anybody looks.
	with.RetentionPeriod = awscdk.Duration_Days(jsii.Number(maxRetentionDays))
	dead := awssqs.NewQueue(scope, jsii.String(id), with)
	cdknag.NagSuppressions_AddResourceSuppressions(dead, &[]*cdknag.NagPackSuppression{{
		Id:     jsii.String("AwsSolutions-SQS3"),
		Reason: jsii.String("It is a dead-letter queue itself: people look at what lies in it, no consumer can fail on it."),
	}}, nil)
	return dead
}

func common(fifo string) *awssqs.QueueProps {
	with := &awssqs.QueueProps{Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true)}
	if fifo != "" {
		with.Fifo, with.QueueName = jsii.Bool(true), jsii.String(fifo+".fifo")
	}
	return with
}
