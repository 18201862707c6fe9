package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPeopleMayReadOrOperate(t *testing.T) {
	rest := synthesized.own.one("AWS::ApiGateway::RestApi").id
	stage := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + rest + "}/blox/"
	got := map[string]string{}
	for _, policy := range synthesized.own.all("AWS::IAM::ManagedPolicy") {
		statements := policy.properties["PolicyDocument"].(object)["Statement"].([]any)
		require.Len(t, statements, 1)
		statement := statements[0].(object)
		require.Equal(t, "Allow", statement["Effect"])
		require.Equal(t, "execute-api:Invoke", statement["Action"])
		got[text(policy.properties["ManagedPolicyName"])] = text(statement["Resource"])
	}
	require.Equal(t, map[string]string{
		"BloxReadOnly-blox-${AWS::Region}": stage + "GET/*",
		"BloxOperator-blox-${AWS::Region}": stage + "*/*",
	}, got)
}

func TestCdkNagFindsNothing(t *testing.T) {
	require.Empty(t, synthesized.findings)
}

// Nothing found could mean that nothing was looked at; and a suppression that nothing needs would hide what comes later.
func TestEverySuppressionIsNeeded(t *testing.T) {
	require.Equal(t, []string{
		"AwsSolutions-APIG3", "AwsSolutions-APIG6", "AwsSolutions-COG4", "AwsSolutions-IAM4", "AwsSolutions-IAM5",
	}, synthesized.unsuppressed)
}
