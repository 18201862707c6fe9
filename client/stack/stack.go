// Package stack finds a deployed installation of Blox by its CloudFormation stack.
package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// OutputAPIURL is the stack's output that holds the API's address, OutputInstallation the one that holds the name of the
// installation.
const (
	OutputAPIURL       = "ApiUrl"
	OutputInstallation = "Installation"
)

// API is what is called of CloudFormation.
type API interface {
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
}

// Stack is a stack as far as Blox is concerned.
type Stack struct {
	Name string
	// Status is CloudFormation's, such as UPDATE_COMPLETE; Reason says more about it, mostly after a failure.
	Status, Reason string
	Outputs        map[string]string
}

// NotFoundError says that there is no stack of that name in the account and region of the credentials.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return "there is no stack " + e.Name }

// Describe reads a stack. The error may be a *NotFoundError.
func Describe(ctx context.Context, api API, name string) (Stack, error) {
	out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	// CloudFormation has no error of its own for this.
	var answered smithy.APIError
	if errors.As(err, &answered) && answered.ErrorCode() == "ValidationError" && strings.Contains(answered.ErrorMessage(), "does not exist") {
		return Stack{}, &NotFoundError{name}
	}
	if err != nil {
		return Stack{}, fmt.Errorf("reading the stack %s: %w", name, err)
	}
	if len(out.Stacks) == 0 {
		return Stack{}, &NotFoundError{name}
	}
	described := out.Stacks[0]
	s := Stack{
		Name: aws.ToString(described.StackName), Status: string(described.StackStatus), Reason: aws.ToString(described.StackStatusReason),
		Outputs: make(map[string]string, len(described.Outputs)),
	}
	for _, output := range described.Outputs {
		s.Outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return s, nil
}

// Endpoint is the API's address.
func (s Stack) Endpoint() (string, error) {
	if url := s.Outputs[OutputAPIURL]; url != "" {
		return url, nil
	}
	has := "it has none"
	if len(s.Outputs) > 0 {
		has = "it has " + strings.Join(slices.Sorted(maps.Keys(s.Outputs)), ", ")
	}
	return "", fmt.Errorf("the stack %s (%s) has no output %s: %s; is it the stack of Blox, and wholly deployed?", s.Name, s.Status, OutputAPIURL, has)
}
