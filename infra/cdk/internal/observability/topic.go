package observability

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// TopicProps describes a topic for alarms.
type TopicProps struct {
	DisplayName string
	// Email is subscribed, and has to confirm by the link that AWS sends to it. Empty for nobody.
	Email string
}

// NewTopic makes a topic that only the alarms of this account may publish to, over TLS only.
//
// It is not encrypted with a key of KMS: the key that AWS manages for SNS does not let CloudWatch in, and with the tables'
// key the alarms would fall silent together with what they watch as soon as somebody disables it. An alarm's message holds
// names and counts, no task's data.
func NewTopic(scope constructs.Construct, id string, props TopicProps) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{
		DisplayName: jsii.String(props.DisplayName),
		EnforceSSL:  jsii.Bool(true),
	})
	// The service publishes for any account that asks it to: without the condition an alarm of a stranger could.
	account := map[string]any{"aws:SourceAccount": topic.Stack().Account()}
	cloudWatch := awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": account},
	})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AlarmsOfThisAccount"),
		Principals: &[]awsiam.IPrincipal{cloudWatch},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
	}))
	if props.Email != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(props.Email), nil))
	}
	return topic
}
