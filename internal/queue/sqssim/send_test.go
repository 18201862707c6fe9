package sqssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"
)

// What the AWS CLI's send-message does. The SDK's client checks the checksum.
func TestASingleMessageIsSent(t *testing.T) {
	b := newBench(t)
	sent, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: b.url("events"), MessageBody: aws.String("nonsense")})
	require.NoError(t, err)
	require.NotEmpty(t, aws.ToString(sent.MessageId))
	require.Equal(t, 1, b.live.Len())
	require.Equal(t, "nonsense", b.live.Messages()[0].Body)

	_, err = b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: b.url("events"), MessageBody: aws.String("")})
	require.ErrorContains(t, err, "InvalidMessageContents")
	_, err = b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: b.url("nobody"), MessageBody: aws.String("x")})
	require.ErrorContains(t, err, "does not exist")
	require.Equal(t, 1, b.live.Len())
}
