package member

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/events"
	"github.com/blox/blox/infra/cdk/internal/member/rolename"
	"github.com/blox/blox/infra/cdk/internal/observability"
	"github.com/blox/blox/infra/cdk/internal/queues"
	"github.com/blox/blox/infra/cdk/internal/settings"
)

// StackName is the name of the stack in a member.
func StackName(installation string) string { return "Blox-" + installation + "-member" }

// NewStack makes the stack of a member. The settings name the installation's account and region (CentralAccount,
// CentralRegion), the external id, and the roles that daemons of this account may run with.
func NewStack(scope constructs.Construct, id string, s *settings.Settings, props *awscdk.StackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(id), props)
	// Where props leave account and region to the deploy, they are known too late for this. Nothing is harmed then: the bus
	// admits only the members that the installation was given, and home is none of them.
	if *stack.Account() == s.CentralAccount && *stack.Region() == s.CentralRegion {
		awscdk.Annotations_Of(stack).AddError(jsii.String(fmt.Sprintf(
			"account %s, region %s is where the installation itself lives: a member is another account or another region",
			s.CentralAccount, s.CentralRegion)))
	}
	m := &member{stack: stack, settings: s}
	m.forwardEvents()
	awscdk.NewCfnOutput(stack, jsii.String("ReadRoleArn"), &awscdk.CfnOutputProps{Value: m.readRole().RoleArn()})
	awscdk.NewCfnOutput(stack, jsii.String("SchedulerRoleArn"), &awscdk.CfnOutputProps{Value: m.schedulerRole().RoleArn()})
	return stack
}

type member struct {
	stack    awscdk.Stack
	settings *settings.Settings
}

// forwardEvents passes ECS's events on to the installation's bus. What it does not take for 24 hours is kept for 14 days
// here, and somebody is told: the installation cannot see this queue.
func (m *member) forwardEvents() {
	s := m.settings
	bus := awsevents.EventBus_FromEventBusArn(m.stack, jsii.String("CentralBus"), jsii.String(fmt.Sprintf(
		"arn:%s:events:%s:%s:event-bus/%s", *awscdk.Aws_PARTITION(), s.CentralRegion, s.CentralAccount, BusName(s.Installation))))
	role := awsiam.NewRole(m.stack, jsii.String("EventsRole"), &awsiam.RoleProps{
		RoleName:    jsii.String(rolename.Events(s.Installation, *m.stack.Region())),
		Description: jsii.String("Puts ECS events on the bus of the Blox installation " + s.Installation),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": m.stack.Account()}},
		}),
	})
	dead := queues.NewDead(m.stack, "RuleDeadLetters")
	awsevents.NewRule(m.stack, jsii.String("Rule"), &awsevents.RuleProps{
		Description:  jsii.String("ECS events for the Blox installation " + s.Installation + " in " + s.CentralAccount + ", " + s.CentralRegion),
		EventPattern: events.Pattern(&[]*string{m.stack.Account()}, &[]*string{m.stack.Region()}),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewEventBus(bus, &awseventstargets.EventBusProps{
			Role: role, DeadLetterQueue: dead,
		})},
	})
	m.watch(dead)
	awscdk.NewCfnOutput(m.stack, jsii.String("RuleDeadLettersUrl"), &awscdk.CfnOutputProps{Value: dead.QueueUrl()})
}

func (m *member) watch(dead awssqs.IQueue) {
	topic := observability.NewTopic(m.stack, "AlarmTopic", observability.TopicProps{
		DisplayName: "Blox " + m.settings.Installation, Email: m.settings.AlarmEmail,
	})
	observability.NewDeadLettersAlarm(m.stack, m.settings.Installation, observability.DeadLetters{Name: "member", Queue: dead}, topic)
	awscdk.NewCfnOutput(m.stack, jsii.String("AlarmTopicArn"), &awscdk.CfnOutputProps{Value: topic.TopicArn()})
}
