package stack

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

type fake struct {
	stacks []types.Stack
	err    error
}

func (f fake) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return &cloudformation.DescribeStacksOutput{Stacks: f.stacks}, f.err
}

func TestAStackTellsTheEndpoint(t *testing.T) {
	s, err := Describe(t.Context(), fake{stacks: []types.Stack{{
		StackName: aws.String("Blox-blox"), StackStatus: types.StackStatusUpdateComplete, StackStatusReason: aws.String("fine"),
		Outputs: []types.Output{
			{OutputKey: aws.String("ApiUrl"), OutputValue: aws.String("https://x.execute-api.eu-west-1.amazonaws.com/blox/")},
			{OutputKey: aws.String("Installation"), OutputValue: aws.String("blox")},
		},
	}}}, "Blox-blox")
	require.NoError(t, err)
	require.Equal(t, Stack{Name: "Blox-blox", Status: "UPDATE_COMPLETE", Reason: "fine", Outputs: map[string]string{
		"ApiUrl": "https://x.execute-api.eu-west-1.amazonaws.com/blox/", "Installation": "blox",
	}}, s)
	endpoint, err := s.Endpoint()
	require.NoError(t, err)
	require.Equal(t, "https://x.execute-api.eu-west-1.amazonaws.com/blox/", endpoint)
}

func TestAStackWithoutEndpoint(t *testing.T) {
	_, err := Stack{Name: "x", Status: "CREATE_COMPLETE", Outputs: map[string]string{"B": "1", "A": "2"}}.Endpoint()
	require.EqualError(t, err, "the stack x (CREATE_COMPLETE) has no output ApiUrl: it has A, B; is it the stack of Blox, and wholly deployed?")
	_, err = Stack{Name: "x", Status: "CREATE_IN_PROGRESS"}.Endpoint()
	require.ErrorContains(t, err, "it has none")
}

func TestAStackThatIsNotThere(t *testing.T) {
	for about, f := range map[string]fake{
		"as CloudFormation says it": {err: &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id Blox-blox does not exist"}},
		"an empty list":             {},
	} {
		t.Run(about, func(t *testing.T) {
			_, err := Describe(t.Context(), f, "Blox-blox")
			var missing *NotFoundError
			require.ErrorAs(t, err, &missing)
			require.EqualError(t, err, "there is no stack Blox-blox")
		})
	}
	for _, other := range []error{errors.New("no net"), &smithy.GenericAPIError{Code: "ValidationError", Message: "1 validation error"}, &smithy.GenericAPIError{Code: "AccessDenied"}} {
		_, err := Describe(t.Context(), fake{err: other}, "Blox-blox")
		var missing *NotFoundError
		require.NotErrorAs(t, err, &missing)
		require.ErrorIs(t, err, other)
		require.ErrorContains(t, err, "reading the stack Blox-blox")
	}
}
