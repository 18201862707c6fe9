// Package ecsaccess says which calls to ECS, and about its clusters, each function makes, as policy statements. The functions' roles in the home
// account and region have them, and the roles in member accounts that the functions assume have the same.
//
// ECS knows resources and condition keys action by action (Service Authorization Reference, Amazon ECS). Blox looks
// after every cluster of an account and region, so a statement is bound to the account and region, by the resource's ARN
// or by the condition key ecs:cluster, whichever the action knows.
package ecsaccess

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// Place is the partition, account and region whose clusters are meant; all three may be CloudFormation tokens.
type Place struct {
	Partition, Account, Region string
}

func (p Place) arn(resource string) string {
	return fmt.Sprintf("arn:%s:ecs:%s:%s:%s", p.Partition, p.Region, p.Account, resource)
}

// inClusters is the condition that a call is about a cluster of the place.
func (p Place) inClusters() *map[string]any {
	return &map[string]any{"ArnLike": map[string]any{"ecs:cluster": p.arn("cluster/*")}}
}

// Reconcile is what the reconcile function calls: it lists everything and describes it, and what it is asked about.
func Reconcile(p Place) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		statement("ListClusters", everything, nil, "ecs:ListClusters"),
		statement("Clusters", p.arn("cluster/*"), nil, "ecs:DescribeClusters", "ecs:ListContainerInstances"),
		listTasks(p),
		statement("Instances", p.arn("container-instance/*"), p.inClusters(), "ecs:DescribeContainerInstances"),
		statement("Tasks", p.arn("task/*"), p.inClusters(), "ecs:DescribeTasks"),
	}
}

// API is what the api function calls before it takes an environment, and to say what the scheduler would do with one: it
// looks at what exists, and makes private copies of task definitions (copyTaskDefinition). passable are the roles that such
// copies may name: whoever registers a task definition passes its roles, as whoever runs it does.
func API(p Place, passable []string) []awsiam.PolicyStatement {
	return append([]awsiam.PolicyStatement{
		statement("Clusters", p.arn("cluster/*"), nil, "ecs:DescribeClusters"),
		statement("TaskDefinitions", everything, nil, "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"),
		// A copy has the tags of what it is a copy of. Only of Blox's own families, and only as they are registered.
		statement("TagCopies", p.arn("task-definition/blox-*:*"),
			&map[string]any{"StringEquals": map[string]any{"ecs:CreateAction": "RegisterTaskDefinition"}}, "ecs:TagResource"),
		services(p),
		capacityProviders(p),
		alarms(),
	}, passRoles(passable)...)
}

// Drive is what the drive function calls: it starts and stops tasks, and looks before it does. passable are the roles
// that the tasks it starts may have; none means that only task definitions without roles can be run.
func Drive(p Place, passable []string) []awsiam.PolicyStatement {
	return append([]awsiam.PolicyStatement{
		listTasks(p),
		statement("Tasks", p.arn("task/*"), p.inClusters(), "ecs:DescribeTasks", "ecs:StopTask"),
		statement("RunTask", p.arn("task-definition/*:*"), p.inClusters(), "ecs:RunTask"),
		// RunTask is refused without it where the new task gets tags. Only of tasks, and only as they are made.
		statement("TagNewTasks", p.arn("task/*"), &map[string]any{"StringEquals": map[string]any{"ecs:CreateAction": "RunTask"}}, "ecs:TagResource"),
		// Readiness attributes, and those that keep a service off hosts that were taken over from it.
		statement("Attributes", p.arn("container-instance/*"), p.inClusters(), "ecs:DeleteAttributes", "ecs:PutAttributes"),
		statement("TaskDefinitions", everything, nil, "ecs:DescribeTaskDefinition"),
		services(p),
		capacityProviders(p),
		alarms(),
	}, passRoles(passable)...)
}

// everything is for actions that know no resource.
const everything = "*"

func services(p Place) awsiam.PolicyStatement {
	return statement("Services", p.arn("service/*"), p.inClusters(), "ecs:DescribeServices")
}

func capacityProviders(p Place) awsiam.PolicyStatement {
	return statement("CapacityProviders", p.arn("capacity-provider/*"), nil, "ecs:DescribeCapacityProviders")
}

// alarms has no resource: CloudWatch tells of composite alarms only whoever may describe all alarms.
func alarms() awsiam.PolicyStatement {
	return statement("Alarms", everything, nil, "cloudwatch:DescribeAlarms")
}

func passRoles(passable []string) []awsiam.PolicyStatement {
	if len(passable) == 0 {
		return nil
	}
	return []awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("PassRolesToTasks"),
		Actions:    jsii.Strings("iam:PassRole"),
		Resources:  jsii.Strings(passable...),
		Conditions: &map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
	})}
}

// listTasks has no resource: the action knows container instances only, and a list of a whole cluster is checked against
// "*" (reports differ on newer accounts), so that only the condition binds it.
func listTasks(p Place) awsiam.PolicyStatement {
	return statement("ListTasks", everything, p.inClusters(), "ecs:ListTasks")
}

func statement(sid, resource string, conditions *map[string]any, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String(sid), Actions: jsii.Strings(actions...), Resources: jsii.Strings(resource), Conditions: conditions,
	})
}

// Suppressions say to cdk-nag why these statements hold wildcards in their resources.
func Suppressions() *[]*cdknag.NagPackSuppression {
	return &[]*cdknag.NagPackSuppression{{
		Id: jsii.String("AwsSolutions-IAM5"),
		Reason: jsii.String("Blox looks after every cluster of the account and region, those of tomorrow included: ECS's actions are bound " +
			"to the account and region by ARN or by ecs:cluster. ListClusters, DescribeTaskDefinition and RegisterTaskDefinition know " +
			"no resource, ListTasks of a whole cluster only the condition. CloudWatch's DescribeAlarms leaves out composite alarms " +
			"where it is bound to a resource."),
		AppliesTo: &[]any{
			map[string]any{"regex": `/^Resource::arn:.*:ecs:.*$/`},
			"Resource::*",
		},
	}}
}
