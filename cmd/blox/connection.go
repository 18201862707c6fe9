package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
	"github.com/blox/blox/client/stack"
)

const (
	defaultEndpoint = "http://127.0.0.1:8080"
	endpointEnv     = "BLOX_ENDPOINT"
	stackEnv        = "BLOX_STACK"
	authEnv         = "BLOX_AUTH"
)

// What --auth takes.
const (
	authNone = "none"
	authIAM  = "iam"
)

const connectionHelp = `Where the API is: --endpoint, or the output ` + stack.OutputAPIURL + ` of the CloudFormation stack --stack; else $` + endpointEnv + `; else $` + stackEnv + `; else
` + defaultEndpoint + `, where blox local is. CloudFormation is asked only if a stack is named.

Calls are signed with AWS credentials if the endpoint begins with https, and not if it begins with http; --auth iam or none,
or $` + authEnv + `, says otherwise. Credentials and region are found as the AWS CLI finds them: --profile and --region, else
AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID and so on, else the files in ~/.aws. An execute-api endpoint tells its own region.`

// connection is how the verbs reach the API.
type connection struct {
	world
	endpoint, stack, auth, profile, region string
}

func addConnectionFlags(root *cobra.Command, w world) *connection {
	c := &connection{world: w}
	flags := root.PersistentFlags()
	flags.StringVar(&c.endpoint, "endpoint", "", "address of the Blox API (default $"+endpointEnv+", else "+defaultEndpoint+")")
	flags.StringVar(&c.stack, "stack", "", "CloudFormation stack to take the address from, such as Blox-blox (default $"+stackEnv+")")
	flags.StringVar(&c.auth, "auth", "", "none, or iam to sign calls with AWS credentials (default $"+authEnv+", else iam for https)")
	flags.StringVar(&c.profile, "profile", "", "profile of the AWS credentials (default $AWS_PROFILE)")
	flags.StringVar(&c.region, "region", "", "AWS region (default $AWS_REGION, else the profile's)")
	return c
}

// client makes the API client that the flags and the environment ask for.
func (c *connection) client(cmd *cobra.Command) (*client.Client, error) {
	endpoint, err := c.findEndpoint(cmd)
	if err != nil {
		return nil, err
	}
	return c.clientOf(cmd, endpoint)
}

// clientOf makes the client of an endpoint that is known.
func (c *connection) clientOf(cmd *cobra.Command, endpoint string) (*client.Client, error) {
	options := client.Options{Endpoint: endpoint, UserAgent: "blox/" + buildVersion()}
	signs, err := c.signs(cmd, endpoint)
	if err != nil {
		return nil, err
	}
	if signs {
		if options.Signer, err = c.signer(cmd, endpoint); err != nil {
			return nil, err
		}
	}
	made, err := client.New(options)
	if err != nil {
		return nil, usage(cmd, "%s", err)
	}
	return made, nil
}

// stackName is the stack to take the endpoint from, and empty if it is elsewhere.
func (c *connection) stackName(cmd *cobra.Command) (string, error) {
	switch {
	case c.endpoint != "" && c.stack != "":
		return "", usage(cmd, "--endpoint and --stack were given: allowed is one of them")
	case c.endpoint != "":
		return "", nil
	case c.stack != "":
		return c.stack, nil
	case c.getenv(endpointEnv) != "":
		return "", nil
	default:
		return c.getenv(stackEnv), nil
	}
}

func (c *connection) findEndpoint(cmd *cobra.Command) (string, error) {
	name, err := c.stackName(cmd)
	if err != nil {
		return "", err
	}
	if name == "" {
		return c.plainEndpoint(), nil
	}
	loaded, err := c.aws(cmd)
	if err != nil {
		return "", err
	}
	found, err := findStack(cmd, loaded, name)
	if err != nil {
		return "", err
	}
	return found.Endpoint()
}

func findStack(cmd *cobra.Command, loaded aws.Config, name string) (stack.Stack, error) {
	found, err := stack.Describe(cmd.Context(), cloudformation.NewFromConfig(loaded), name)
	var missing *stack.NotFoundError
	if errors.As(err, &missing) {
		return found, &exitError{exitNotFound, fmt.Errorf("%w in region %s: check --stack, --region and --profile", err, loaded.Region)}
	}
	return found, err
}

func (c *connection) plainEndpoint() string {
	return firstOf(c.endpoint, c.getenv(endpointEnv), defaultEndpoint)
}

// signs says whether calls of the endpoint are signed.
func (c *connection) signs(cmd *cobra.Command, endpoint string) (bool, error) {
	switch auth := firstOf(c.auth, c.getenv(authEnv)); auth {
	case authIAM:
		return true, nil
	case authNone:
		return false, nil
	case "":
		parsed, err := url.Parse(endpoint)
		return err == nil && parsed.Scheme == "https", nil
	default:
		return false, usage(cmd, "--auth (or $%s) %q: allowed are %s and %s", authEnv, auth, authNone, authIAM)
	}
}

// signer signs for the region that the endpoint's name tells, or else for that of the AWS settings.
func (c *connection) signer(cmd *cobra.Command, endpoint string) (client.Signer, error) {
	told := client.SigningRegion(endpoint)
	if told != "" && c.region != "" && c.region != told {
		return nil, usage(cmd, "--region %s: the API at %s is in %s", c.region, endpoint, told)
	}
	loaded, err := c.awsIn(cmd, told)
	if err != nil {
		return nil, err
	}
	return client.NewSigner(loaded.Credentials, loaded.Region), nil
}

// aws is the settings of AWS calls; no call is made yet, and credentials may turn out to be missing at the first.
func (c *connection) aws(cmd *cobra.Command) (aws.Config, error) { return c.awsIn(cmd, "") }

func (c *connection) awsIn(cmd *cobra.Command, region string) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if c.profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.profile))
	}
	if region = firstOf(region, c.region); region != "" {
		options = append(options, config.WithRegion(region))
	}
	loaded, err := config.LoadDefaultConfig(cmd.Context(), options...)
	var missing config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &missing):
		return aws.Config{}, usage(cmd, "there is no AWS profile %q: aws configure list-profiles shows those there are", missing.Profile)
	case err != nil:
		return aws.Config{}, fmt.Errorf("loading the AWS settings: %s", oneLine(err))
	case loaded.Region == "":
		return aws.Config{}, usage(cmd, "the AWS region is not known: give --region, or set AWS_REGION or the profile's region")
	}
	return loaded, nil
}

// explainCredentials says what to do about credentials that cannot be had; err is what their provider said.
func explainCredentials(err error) string {
	var sso *ssocreds.InvalidTokenError
	text := oneLine(err)
	switch {
	case errors.As(err, &sso) || strings.Contains(text, "ExpiredToken"):
		return "the AWS credentials have expired: log in again, for example with aws sso login"
	case strings.Contains(text, "no EC2 IMDS role found"), strings.Contains(text, "static credentials are empty"):
		return "there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, give --profile, " +
			"or make some with aws configure or aws sso login (an API without authorization needs --auth none)"
	default:
		return "the AWS credentials cannot be had (" + text + "): check the profile, or log in again"
	}
}

// noCredentials says whether an AWS call failed because there was nothing to sign it with.
func noCredentials(err error) bool {
	var signing *client.CredentialsError
	// The SDK's clients only say it in words.
	return errors.As(err, &signing) || strings.Contains(err.Error(), "get identity: get credentials")
}

// explainAWS says what an AWS service answered, and what to do about it.
func explainAWS(err error, answered smithy.APIError) string {
	switch answered.ErrorCode() {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return "the AWS credentials have expired: log in again, for example with aws sso login"
	case "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure":
		return "AWS does not take these credentials (" + answered.ErrorMessage() + "): check --profile and the AWS_… variables"
	}
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return oneLine(err)
	}
	return strings.TrimSpace(fmt.Sprintf("%s refused %s (%s): %s", operation.Service(), operation.Operation(), answered.ErrorCode(),
		strings.Join(strings.Fields(answered.ErrorMessage()), " ")))
}

// oneLine makes a sentence of an error that the SDK spreads over several lines.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
