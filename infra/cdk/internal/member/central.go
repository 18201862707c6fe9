package member

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/events"
	"github.com/blox/blox/infra/cdk/internal/member/rolename"
	"github.com/blox/blox/infra/cdk/internal/settings"
)

// BusName is the name of the bus that the members of an installation send to.
func BusName(installation string) string { return "blox-" + installation + "-members" }

// CentralProps is what the members' events go to.
type CentralProps struct {
	Settings *settings.Settings
	// EventsQueue is the queue that the installation's own events go to.
	EventsQueue awssqs.IQueue
	// DeadLetters takes events that the queue did not take for 24 hours.
	DeadLetters awssqs.IQueue
}

// Central is the installation's side: a bus that admits its members, and the way to the events queue.
type Central struct {
	Bus  awsevents.EventBus
	Rule awsevents.Rule
}

// NewCentral makes the installation's side. It makes sense only if the settings name members.
func NewCentral(scope constructs.Construct, id string, props CentralProps) *Central {
	this := constructs.NewConstruct(scope, jsii.String(id))
	s := props.Settings
	bus := awsevents.NewEventBus(this, jsii.String("Bus"), &awsevents.EventBusProps{
		EventBusName: jsii.String(BusName(s.Installation)),
		Description:  jsii.String("ECS events of the member accounts and regions of the Blox installation " + s.Installation),
	})
	accounts, regions := places(s.Members)
	awsevents.NewCfnEventBusPolicy(this, jsii.String("Policy"), &awsevents.CfnEventBusPolicyProps{
		EventBusName: bus.EventBusName(),
		StatementId:  jsii.String("Members"),
		Statement:    admission(bus, s, accounts),
	})
	pattern := events.Pattern()
	// A member's own account and region stand in every event, and no caller can set them: PutEvents writes the caller's
	// account, and refuses sources that begin with "aws.". So what passes here is from ECS, in one of the members.
	pattern.Account = jsii.Strings(accounts...)
	pattern.Region = jsii.Strings(regions...)
	rule := awsevents.NewRule(this, jsii.String("Rule"), &awsevents.RuleProps{
		Description:  jsii.String("ECS events of the members of the Blox installation " + s.Installation),
		EventBus:     bus,
		EventPattern: pattern,
		Targets:      &[]awsevents.IRuleTarget{events.Target(props.EventsQueue, props.DeadLetters)},
	})
	return &Central{Bus: bus, Rule: rule}
}

// admission lets exactly the events roles of the members put events, and nobody else of their accounts. The accounts are
// the principals and the roles a condition, because a policy that names a role as principal is refused until that role
// exists, and the members' stacks come after this one. It is one statement, because a bus policy may have 10 KB.
func admission(bus awsevents.EventBus, s *settings.Settings, accounts []string) map[string]any {
	partition := *awscdk.Aws_PARTITION()
	roots := make([]string, len(accounts))
	for i, account := range accounts {
		roots[i] = "arn:" + partition + ":iam::" + account + ":root"
	}
	roles := make([]string, len(s.Members))
	for i, m := range s.Members {
		roles[i] = rolename.ARN(partition, m.Account, rolename.Events(s.Installation, m.Region))
	}
	return map[string]any{
		"Effect":    "Allow",
		"Principal": map[string]any{"AWS": roots},
		"Action":    "events:PutEvents",
		"Resource":  bus.EventBusArn(),
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": roles}},
	}
}

// places are the accounts and the regions of members, each once, sorted.
func places(members []settings.Member) (accounts, regions []string) {
	for _, m := range members {
		accounts = append(accounts, m.Account)
		regions = append(regions, m.Region)
	}
	slices.Sort(accounts)
	slices.Sort(regions)
	return slices.Compact(accounts), slices.Compact(regions)
}
