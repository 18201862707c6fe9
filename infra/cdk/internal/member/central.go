package member

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/events"
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
		Statement:    admission(bus, accounts),
	})
	rule := awsevents.NewRule(this, jsii.String("Rule"), &awsevents.RuleProps{
		Description:  jsii.String("ECS events of the members of the Blox installation " + s.Installation),
		EventBus:     bus,
		EventPattern: events.Pattern(jsii.Strings(accounts...), jsii.Strings(regions...)),
		Targets:      &[]awsevents.IRuleTarget{events.Target(props.EventsQueue, props.DeadLetters)},
	})
	return &Central{Bus: bus, Rule: rule}
}

// admission lets the members' accounts put events, and no other. It does not narrow them down to the members' events
// roles: EventBridge asks this policy not only when an event comes, as the rule's role, but also at PutTargets, as whoever
// calls it, and that is CloudFormation with a role of whoever deploys the member. A condition on aws:PrincipalArn would
// have the member's stack fail. Principals cannot be the roles either: a policy that names a role is refused until that
// role exists, and the members' stacks come after this one.
//
// What others of those accounts may do by this is little: see events.Pattern for what the rule lets through. It is one
// statement, because a bus policy may have 10 KB.
func admission(bus awsevents.EventBus, accounts []string) map[string]any {
	partition := *awscdk.Aws_PARTITION()
	roots := make([]string, len(accounts))
	for i, account := range accounts {
		roots[i] = "arn:" + partition + ":iam::" + account + ":root"
	}
	return map[string]any{
		"Effect":    "Allow",
		"Principal": map[string]any{"AWS": roots},
		"Action":    "events:PutEvents",
		"Resource":  bus.EventBusArn(),
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
