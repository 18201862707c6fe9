// Package functions makes the six Lambda functions, each with a log group and a role of its own.
//
// A role allows what its function calls and nothing else: no wildcard stands in an action, and in a resource only where
// IAM knows nothing narrower. What is allowed is written down here by hand, function by function, and not derived with
// the CDK's grants, which allow more than is called. Permissions that are no call of the function's own, such as those by
// which Lambda polls a queue in its name, stand in dependent-permissions.json with their cause.
package functions

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/blox/blox/infra/cdk/internal/daemon"
	"github.com/blox/blox/infra/cdk/internal/ecsaccess"
	"github.com/blox/blox/infra/cdk/internal/events"
	"github.com/blox/blox/infra/cdk/internal/member/rolename"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/state"
)

// Functions are the six functions.
type Functions struct {
	Ingest    awslambda.Function
	Reconcile awslambda.Function
	Dispatch  awslambda.Function
	Drive     awslambda.Function
	API       awslambda.Function
	Stream    awslambda.Function

	scope constructs.Construct
	stack awscdk.Stack
}

// Props is what Functions needs.
type Props struct {
	Settings *settings.Settings
	State    *state.State
	Events   *events.Events
	Daemon   *daemon.Daemon
}

// New makes the functions.
func New(scope constructs.Construct, id string, props Props) *Functions {
	f := &Functions{scope: constructs.NewConstruct(scope, jsii.String(id)), stack: awscdk.Stack_Of(scope)}
	f.Ingest = f.function("Ingest", props, f.ingest(props))
	f.Reconcile = f.function("Reconcile", props, f.reconcile(props))
	f.Dispatch = f.function("Dispatch", props, f.dispatch(props))
	f.Drive = f.function("Drive", props, f.drive(props))
	f.API = f.function("API", props, f.api(props))
	f.Stream = f.function("Stream", props, f.stream(props))
	return f
}

func (f *Functions) home() ecsaccess.Place {
	return ecsaccess.Place{Partition: *f.stack.Partition(), Account: *f.stack.Account(), Region: *f.stack.Region()}
}

func (f *Functions) function(id string, props Props, def definition) awslambda.Function {
	logs := awslogs.NewLogGroup(f.scope, jsii.String(id+"Logs"), &awslogs.LogGroupProps{
		// Without the functions nobody looks for their logs; what must last is in the tables.
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	// The construct takes names of periods, the resource days.
	logs.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(props.Settings.LogRetentionDays))
	role := f.role(id, props, def, logs)
	environment := def.environment
	return awslambda.NewFunction(f.scope, jsii.String(id), &awslambda.FunctionProps{
		Description:                  jsii.String("Blox " + props.Settings.Installation + ": " + def.description),
		Code:                         awslambda.Code_FromAsset(jsii.String(filepath.Join(props.Settings.FunctionsDirectory, def.zip)), nil),
		Runtime:                      awslambda.Runtime_PROVIDED_AL2023(),
		Handler:                      jsii.String("bootstrap"),
		Architecture:                 architecture(props.Settings),
		MemorySize:                   jsii.Number(def.memoryMB),
		Timeout:                      awscdk.Duration_Seconds(jsii.Number(def.timeoutSeconds)),
		Environment:                  &environment,
		Role:                         role,
		LogGroup:                     logs,
		Tracing:                      tracing(props.Settings),
		RecursiveLoop:                recursion(def),
		ReservedConcurrentExecutions: def.reserved,
	})
}

// role has a name written down here, because the roles in member accounts trust it by name.
func (f *Functions) role(id string, props Props, def definition, logs awslogs.LogGroup) awsiam.Role {
	role := awsiam.NewRole(f.scope, jsii.String(id+"Role"), &awsiam.RoleProps{
		RoleName:    jsii.String(rolename.Caller(props.Settings.Installation, def.name, *f.stack.Region())),
		Description: jsii.String("The function " + def.name + " of the Blox installation " + props.Settings.Installation),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	for _, statement := range def.statements {
		role.AddToPolicy(statement)
	}
	// Lambda writes the logs in the function's name. The group is there already, so it need not create one.
	role.AddToPolicy(on("Logs", logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents"))
	if props.State.Key != nil {
		role.AddToPolicy(useKey(f.stack, props))
	}
	suppress(role)
	return role
}

// useKey is what DynamoDB does with the tables' key in the caller's name: it allows nothing outside of DynamoDB.
func useKey(stack awscdk.Stack, props Props) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("TableKey"),
		Actions: jsii.Strings("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
			"kms:ReEncryptFrom", "kms:ReEncryptTo"),
		Resources: jsii.Strings(*props.State.Key.KeyArn()),
		Conditions: &map[string]any{"StringEquals": map[string]any{
			"kms:ViaService": "dynamodb." + *stack.Region() + "." + *stack.UrlSuffix(),
		}},
	})
}

func suppress(role awsiam.Role) {
	reasons := ecsaccess.Suppressions()
	*reasons = append(*reasons,
		&cdknag.NagPackSuppression{
			Id:        jsii.String("AwsSolutions-IAM5"),
			Reason:    jsii.String("A log group's streams are named by Lambda as it makes them; the ARN is that of the function's own group."),
			AppliesTo: &[]any{map[string]any{"regex": `/^Resource::<Functions[A-Za-z]+Logs[A-F0-9]+\.Arn>$/`}},
		})
	cdknag.NagSuppressions_AddResourceSuppressions(role, reasons, jsii.Bool(true))
}

func architecture(with *settings.Settings) awslambda.Architecture {
	if with.Architecture == settings.X8664 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

func tracing(with *settings.Settings) awslambda.Tracing {
	if with.Tracing {
		return awslambda.Tracing_ACTIVE
	}
	return awslambda.Tracing_DISABLED
}

func recursion(def definition) awslambda.RecursiveLoop {
	if def.allowRecursion {
		return awslambda.RecursiveLoop_ALLOW
	}
	return awslambda.RecursiveLoop_TERMINATE
}
