package blox

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/daemon"
	"github.com/blox/blox/infra/cdk/internal/events"
)

// deadLetters lets people look into the dead-letter queues and send back what lies there, as `blox dlq` does with their
// own credentials: it finds the queues by the stack's outputs. IAM names a batch of a call as it does the single call. To
// move a whole queue, SQS takes, sends and deletes in the name of whoever asked for it.
func deadLetters(people awsiam.ManagedPolicy, stack awscdk.Stack, in *events.Events, work *daemon.Daemon) {
	people.AddStatements(
		statementOn("FindQueues", []*string{stack.StackId()}, "cloudformation:DescribeStacks"),
		// Looking hides messages for a while, and shows them again before it ends.
		statementOn("LookAtDeadLetters",
			arns(in.DeadLetters, in.RuleDeadLetters, work.ReconcileDeadLetters, work.WakeupsDeadLetters, work.StreamFailures, work.ScheduleDeadLetters),
			"sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
		statementOn("TakeDeadLetters",
			arns(in.DeadLetters, in.RuleDeadLetters, work.ReconcileDeadLetters, work.WakeupsDeadLetters), "sqs:DeleteMessage"),
		// SQS moves what queues of SQS set aside; EventBridge's dead letters are sent one by one.
		statementOn("MoveDeadLetters", arns(in.DeadLetters, work.ReconcileDeadLetters, work.WakeupsDeadLetters),
			"sqs:CancelMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:StartMessageMoveTask"),
		statementOn("SendBack", arns(in.Queue, work.Reconcile, work.Wakeups), "sqs:GetQueueAttributes", "sqs:SendMessage"),
	)
}

func statementOn(sid string, resources []*string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String(sid), Actions: jsii.Strings(actions...), Resources: &resources,
	})
}

func arns(queues ...awssqs.Queue) []*string {
	all := make([]*string, len(queues))
	for i, q := range queues {
		all[i] = q.QueueArn()
	}
	return all
}
