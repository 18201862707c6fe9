package api

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// addPolicy makes a managed policy that allows methods of the API's stage, "*" for all.
//
// Managed policies are the account's, whatever the region: the name holds both installation and region. It must not
// change, and neither must the description, for that replaces the policy, takes it from everybody who has it, and fails
// on the name that is still there.
func addPolicy(scope constructs.Construct, rest awsapigateway.RestApi, id, description, method, installation string) awsiam.ManagedPolicy {
	return awsiam.NewManagedPolicy(scope, jsii.String(id), &awsiam.ManagedPolicyProps{
		ManagedPolicyName: jsii.String(fmt.Sprintf("Blox%s-%s-%s", id, installation, *awscdk.Stack_Of(scope).Region())),
		Description:       jsii.String(description),
		Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("execute-api:Invoke"),
			Resources: &[]*string{rest.ArnForExecuteApi(jsii.String(method), jsii.String("/*"), jsii.String(StageName))},
		})},
	})
}
