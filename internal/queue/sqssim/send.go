package sqssim

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// SendMessage sends a batch of one, whose failure is the call's. Its message id is "0", as that of a batch is the
// entry's own.
func (s *Service) SendMessage(
	ctx context.Context,
	in *sqs.SendMessageInput,
	opts ...func(*sqs.Options),
) (*sqs.SendMessageOutput, error) {
	out, err := s.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{
		QueueUrl: in.QueueUrl,
		Entries: []types.SendMessageBatchRequestEntry{{
			Id: aws.String("0"), MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes,
			MessageGroupId: in.MessageGroupId, MessageDeduplicationId: in.MessageDeduplicationId,
		}},
	}, opts...)
	if err != nil {
		return nil, err
	}
	for _, failed := range out.Failed {
		return nil, &smithy.GenericAPIError{Code: aws.ToString(failed.Code), Message: aws.ToString(failed.Message)}
	}
	sent := out.Successful[0]
	return &sqs.SendMessageOutput{MessageId: sent.MessageId, MD5OfMessageBody: sent.MD5OfMessageBody}, nil
}
