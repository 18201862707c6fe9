package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/blox/blox/internal/dlq"
	"github.com/blox/blox/internal/local"
)

func newDLQCommand(c *connection) *cobra.Command {
	cmd := group("dlq", "Look into the dead-letter queues of an installation, and send back what lies there",
		newDLQListCommand(c), newDLQShowCommand(c), newDLQRedriveCommand(c))
	cmd.Long = `Look into the dead-letter queues of an installation, and send back what lies there.

  events      ECS events that could not be stored, each with its reason
  rule        ECS events that EventBridge could not deliver
  reconcile   requests to reconcile that failed
  wakeups     wake-ups of the scheduler that failed
  stream      places in the state's stream that could not be worked on
  schedules   schedules that could not be invoked

The queues are those of --stack, or of a blox local at --endpoint, which has the first, the third and the fourth of them.
The calls are made of SQS itself, with AWS credentials that may do so; the policies for people of the stack do not allow it.`
	return cmd
}

// deadLetters finds the dead-letter queues of the stack, or of a blox local.
func (c *connection) deadLetters(cmd *cobra.Command) (*dlq.Office, []dlq.Queue, error) {
	name, err := c.stackName(cmd)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		return c.localDeadLetters(cmd)
	}
	loaded, err := c.aws(cmd)
	if err != nil {
		return nil, nil, err
	}
	found, err := findStack(cmd, loaded, name)
	if err != nil {
		return nil, nil, err
	}
	queues := dlq.Queues(found.Outputs)
	if len(queues) == 0 {
		return nil, nil, fmt.Errorf(
			"the stack %s (%s) has no output with the address of a dead-letter queue: is it the stack of Blox, and wholly deployed?",
			found.Name,
			found.Status,
		)
	}
	return c.office(sqs.NewFromConfig(loaded)), queues, nil
}

func (c *connection) office(api dlq.API) *dlq.Office {
	return &dlq.Office{API: api, Now: c.now, Pause: c.pause}
}

// localDeadLetters asks a blox local where its queues are, and calls them at its simulator.
func (c *connection) localDeadLetters(cmd *cobra.Command) (*dlq.Office, []dlq.Queue, error) {
	api, outputs, err := localQueues(cmd.Context(), c.plainEndpoint())
	if err != nil {
		return nil, nil, err
	}
	return c.office(api), dlq.Queues(outputs), nil
}

// localQueues asks a blox local where its queues are, and makes what calls them.
func localQueues(ctx context.Context, endpoint string) (*sqs.Client, map[string]string, error) {
	outputs, err := localOutputs(ctx, endpoint)
	if err != nil {
		return nil, nil, err
	}
	queues := dlq.Queues(outputs)
	if len(queues) == 0 {
		return nil, nil, notLocal(endpoint)
	}
	address, err := url.Parse(queues[0].URL)
	if err != nil {
		return nil, nil, fmt.Errorf("the address of queue %s is invalid: %w", queues[0].Name, err)
	}
	simulator := address.Scheme + "://" + address.Host
	return sqs.New(sqs.Options{
		// The simulator takes any credentials, in any region.
		Region:       "us-east-1",
		BaseEndpoint: &simulator,
		Credentials:  credentials.NewStaticCredentialsProvider("testing", "testing", ""),
	}), outputs, nil
}

const (
	outputsTimeout  = 10 * time.Second
	maxOutputsBytes = 1 << 16
)

func localOutputs(ctx context.Context, endpoint string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, outputsTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodGet,
		strings.TrimSuffix(endpoint, "/")+local.OutputsPath,
		http.NoBody,
	)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("invalid endpoint %q: allowed is http://HOST[:PORT]", endpoint)}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var outputs map[string]string
	if answer.StatusCode != http.StatusOK ||
		json.NewDecoder(io.LimitReader(answer.Body, maxOutputsBytes)).Decode(&outputs) != nil {
		return nil, notLocal(endpoint)
	}
	return outputs, nil
}

func notLocal(endpoint string) error {
	return &exitError{
		exitUsage,
		fmt.Errorf(
			"there is no blox local at %s, and the dead-letter queues of a deployed installation are found by its stack: give --stack",
			endpoint,
		),
	}
}

// queueArgument is the queue that an argument names; events without one.
func queueArgument(cmd *cobra.Command, queues []dlq.Queue, args []string) (dlq.Queue, error) {
	name := "events"
	if len(args) > 0 {
		name = args[0]
	}
	q, err := dlq.Find(queues, name)
	if err != nil {
		return q, usage(cmd, "%s", err)
	}
	return q, nil
}
