package scenario

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/blox/blox/test/emulator/internal/account"
)

// subscription is a rule of somebody who wants to hear what Blox announces, with a queue as its target.
type subscription struct {
	account  *account.Account
	bus      string
	queue    string
	received []announcement
}

type announcement struct {
	DetailType string `json:"detail-type"`
	Detail     struct {
		EnvironmentName string `json:"environmentName"`
		Status          string `json:"status"`
		// Of forwarded changes.
		ARN        string `json:"arn"`
		Group      string `json:"group"`
		LastStatus string `json:"lastStatus"`
	} `json:"detail"`
}

const subscriber = "blox-emulated-subscriber"

func subscribe(ctx context.Context, a *account.Account, bus, region, accountID string) (*subscription, error) {
	created, err := a.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(subscriber)})
	if err != nil {
		return nil, fmt.Errorf("creating the subscriber's queue: %w", err)
	}
	s := &subscription{account: a, bus: bus, queue: aws.ToString(created.QueueUrl)}
	if _, err := a.EventBridge.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String(subscriber), EventBusName: &bus, EventPattern: aws.String(`{"source":["blox"]}`),
	}); err != nil {
		return s, fmt.Errorf("making a rule on bus %s: %w", bus, err)
	}
	_, err = a.EventBridge.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: aws.String(subscriber), EventBusName: &bus,
		Targets: []ebtypes.Target{{Id: aws.String("queue"), Arn: aws.String(fmt.Sprintf("arn:aws:sqs:%s:%s:%s", region, accountID, subscriber))}},
	})
	if err != nil {
		return s, fmt.Errorf("adding a target on bus %s: %w", bus, err)
	}
	return s, nil
}

// poll takes what has come.
func (s *subscription) poll(ctx context.Context) error {
	out, err := s.account.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &s.queue, MaxNumberOfMessages: 10})
	if err != nil {
		return fmt.Errorf("receiving announcements: %w", err)
	}
	for _, m := range out.Messages {
		var a announcement
		if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &a); err != nil {
			return fmt.Errorf("reading an announcement: %w", err)
		}
		s.received = append(s.received, a)
		if _, err := s.account.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return fmt.Errorf("deleting an announcement: %w", err)
		}
	}
	return nil
}

// close removes rule and queue; a bus with rules could not be deleted. What fails here shows as something left behind.
func (s *subscription) close(ctx context.Context) {
	_, _ = s.account.EventBridge.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String(subscriber), EventBusName: &s.bus, Ids: []string{"queue"}})
	_, _ = s.account.EventBridge.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String(subscriber), EventBusName: &s.bus})
	_, _ = s.account.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &s.queue})
}
