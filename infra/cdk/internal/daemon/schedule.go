package daemon

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/jsii-runtime-go"
)

// Payloads of the schedules, as the functions know them. EventBridge Scheduler puts the time in.
const (
	sweepInput = `{"source":"blox.schedule","scheduledTime":"<aws.scheduler.scheduled-time>"}`
	tickInput  = `{"source":"blox.tick"}`
)

// schedule is one schedule and the function that it invokes.
type schedule struct {
	id          string
	description string
	minutes     int
	input       string
	function    awslambda.Function
}

// schedules makes the two schedules and their role. The constructs of the CDK would allow the role every version of the
// functions; it needs the functions only.
func (d *Daemon) schedules(props RunProps) {
	stack := awscdk.Stack_Of(d.scope)
	role := awsiam.NewRole(d.scope, jsii.String("ScheduleRole"), &awsiam.RoleProps{
		Description: jsii.String("EventBridge Scheduler for the Blox installation " + props.Settings.Installation),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			// Nobody else's schedules may use the role.
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
		}),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("Invoke"),
		Actions:   jsii.Strings("lambda:InvokeFunction"),
		Resources: &[]*string{props.Reconcile.FunctionArn(), props.Drive.FunctionArn()},
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("SetAside"),
		Actions:   jsii.Strings("sqs:SendMessage"),
		Resources: &[]*string{d.ScheduleDeadLetters.QueueArn()},
	}))
	d.schedule(role, schedule{
		id: "ReconcileSchedule", description: "Sweeps all clusters", minutes: props.Settings.ReconcileMinutes,
		input: sweepInput, function: props.Reconcile,
	})
	d.schedule(role, schedule{
		id: "Tick", description: "Looks for environments that are due", minutes: 1, input: tickInput, function: props.Drive,
	})
}

func (d *Daemon) schedule(role awsiam.Role, s schedule) {
	unit := "minutes"
	if s.minutes == 1 {
		unit = "minute"
	}
	resource := awsscheduler.NewCfnSchedule(d.scope, jsii.String(s.id), &awsscheduler.CfnScheduleProps{
		Description:        jsii.String(s.description),
		ScheduleExpression: jsii.String(fmt.Sprintf("rate(%d %s)", s.minutes, unit)),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn:     s.function.FunctionArn(),
			RoleArn: role.RoleArn(),
			Input:   jsii.String(s.input),
			// The next one comes soon, so a late one is worth little: it is given up when two more were due.
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(120 * s.minutes),
				MaximumRetryAttempts:     jsii.Number(3),
			},
			DeadLetterConfig: &awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: d.ScheduleDeadLetters.QueueArn()},
		},
	})
	// Else the first invocations could come before the role may do anything, and go to the dead letters.
	resource.Node().AddDependency(role)
	// Scheduler invokes a function without waiting for it, so it never learns that one failed: Lambda tries again by
	// itself, for six hours unless told otherwise.
	s.function.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
		MaxEventAge:   awscdk.Duration_Minutes(jsii.Number(s.minutes)),
		RetryAttempts: jsii.Number(0),
	})
}
