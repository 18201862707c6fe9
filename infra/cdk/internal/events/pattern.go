package events

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/jsii-runtime-go"
)

// detailTypes are the events that Blox reads: the two state changes that carry a version, and the health change, a hint
// that has none.
var detailTypes = []string{
	"ECS Task State Change",
	"ECS Container Instance State Change",
	"ECS Container Instance Health Change",
}

// Pattern is what a rule matches: ECS's events of these accounts and regions. On the default bus, at home and in every
// member, that is the bus's own place. Events of other places come there too where somebody forwards them, as an
// organization may to a central account, and Blox looks after clusters only where it was told to.
//
// No caller can set what is matched: PutEvents writes the caller's account and region, and refuses sources that begin with
// "aws.". So what passes is from ECS, in one of these places.
func Pattern(accounts, regions *[]*string) *awsevents.EventPattern {
	return &awsevents.EventPattern{
		Source:     jsii.Strings("aws.ecs"),
		DetailType: jsii.Strings(detailTypes...),
		Account:    accounts,
		Region:     regions,
	}
}
