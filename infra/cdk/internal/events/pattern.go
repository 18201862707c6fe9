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

// Pattern is what the rule on the default bus matches, in the home region and in every member's.
func Pattern() *awsevents.EventPattern {
	return &awsevents.EventPattern{
		Source:     jsii.Strings("aws.ecs"),
		DetailType: jsii.Strings(detailTypes...),
	}
}
