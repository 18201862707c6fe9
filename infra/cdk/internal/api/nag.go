package api

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// suppressRules says why rules of cdk-nag's AwsSolutions do not hold here.
func (a *API) suppressRules() {
	stage := a.REST.DeploymentStage()
	suppress(stage, "AwsSolutions-APIG3", "Every request is signed by an IAM principal that was allowed to call; a web firewall is for "+
		"requests of anybody. It costs 5 USD a month and more; who wants one can attach it to the stage.")
	suppress(stage, "AwsSolutions-APIG6", "The access log says who asked for what, what was answered, and where an error came from. "+
		"Execution logs would add their text only, in a log group that API Gateway creates and keeps for ever.")
	for _, method := range *a.REST.Methods() {
		suppress(method, "AwsSolutions-COG4", "Callers are IAM principals: every method has AWS_IAM.")
	}
	suppress(a.REST.Node().FindChild(jsii.String("CloudWatchRole")), "AwsSolutions-IAM4", "The account has one such role for the logs of "+
		"all its REST APIs: only AWS's own policy for it lets the other ones log too.")
	for _, policy := range []constructs.IConstruct{a.ReadOnly, a.Operator} {
		suppress(policy, "AwsSolutions-IAM5", "The wildcard stands for the paths, or methods and paths, of this one stage: the policy is "+
			"meant for all of them. docs/deploy.md shows policies for single environments.")
	}
}

// suppress says why a rule does not hold for a construct and all in it.
func suppress(construct constructs.IConstruct, rule, reason string) {
	cdknag.NagSuppressions_AddResourceSuppressions(construct,
		&[]*cdknag.NagPackSuppression{{Id: jsii.String(rule), Reason: jsii.String(reason)}}, jsii.Bool(true))
}
