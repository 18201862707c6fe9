// Package account holds the clients of the emulated account.
package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/blox/blox/test/emulator/internal/proxy"
)

// Config says where the account is and who calls.
type Config struct {
	Endpoint    string
	Region      string
	Credentials aws.CredentialsProvider
}

// Account is an emulated account, or the way to it through the proxy.
type Account struct {
	Config
	AccessKeyID string

	APIGateway     *apigateway.Client
	CloudFormation *cloudformation.Client
	DynamoDB       *dynamodb.Client
	EventBridge    *eventbridge.Client
	Lambda         *lambda.Client
	Scheduler      *scheduler.Client
	SQS            *sqs.Client

	sdk aws.Config
}

// New makes the clients.
func New(cfg Config) *Account {
	sdk := aws.Config{Region: cfg.Region, BaseEndpoint: &cfg.Endpoint, Credentials: cfg.Credentials}
	return &Account{
		Config: cfg, sdk: sdk,
		APIGateway: apigateway.NewFromConfig(sdk), CloudFormation: cloudformation.NewFromConfig(sdk), DynamoDB: dynamodb.NewFromConfig(sdk),
		EventBridge: eventbridge.NewFromConfig(sdk), Lambda: lambda.NewFromConfig(sdk), Scheduler: scheduler.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk),
	}
}

// Sign signs a request that no client makes.
func (a *Account) Sign(ctx context.Context, r *http.Request, service string, body []byte) error {
	key, err := a.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("getting credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", hash) // S3 asks for it
	return v4.NewSigner().SignHTTP(ctx, key, r, hash, service, a.Region, time.Now())
}

// StreamsOf is a client that says in every call which stream it is about; the proxy could not know it otherwise.
func (a *Account) StreamsOf(stream string) *dynamodbstreams.Client {
	return dynamodbstreams.NewFromConfig(a.sdk, dynamodbstreams.WithAPIOptions(smithyhttp.AddHeaderValue(proxy.StreamHeader, stream)))
}

// QueueURL finds a queue by its name.
func (a *Account) QueueURL(ctx context.Context, name string) (string, error) {
	out, err := a.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", fmt.Errorf("looking for queue %s: %w", name, err)
	}
	return aws.ToString(out.QueueUrl), nil
}

// Send puts a message into a queue.
func (a *Account) Send(ctx context.Context, queue, body string) error {
	if _, err := a.SQS.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}); err != nil {
		return fmt.Errorf("sending a message to %s: %w", queue, err)
	}
	return nil
}

// MakeVisible makes a received message visible again at once.
func (a *Account) MakeVisible(ctx context.Context, queue, receiptHandle string) error {
	_, err := a.SQS.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &queue, ReceiptHandle: &receiptHandle})
	return err
}

// Output is an output of a stack.
func (a *Account) Output(ctx context.Context, stack, name string) (string, error) {
	out, err := a.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return "", fmt.Errorf("describing stack %s: %w", stack, err)
	}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			if aws.ToString(o.OutputKey) == name {
				return aws.ToString(o.OutputValue), nil
			}
		}
	}
	return "", fmt.Errorf("stack %s has no output %s", stack, name)
}
