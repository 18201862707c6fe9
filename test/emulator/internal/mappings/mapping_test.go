package mappings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

var quiet = slog.New(slog.DiscardHandler)

// invoked is a function that hears the bodies or keys of its batch and answers.
type invoked func(records []string) (answer string, err error)

func (f invoked) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event struct {
		Records []struct {
			Body     string `json:"body"`
			DynamoDB struct{ Keys map[string]map[string]string }
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var records []string
	for _, r := range event.Records {
		records = append(records, r.Body+r.DynamoDB.Keys["pk"]["S"])
	}
	answer, err := f(records)
	return []byte(answer), err
}

type fakeQueue struct {
	messages []string
	deleted  []string
}

func (q *fakeQueue) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{}, nil
}

func (q *fakeQueue) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	out := &sqs.ReceiveMessageOutput{}
	for _, m := range q.messages[:min(len(q.messages), int(in.MaxNumberOfMessages))] {
		out.Messages = append(out.Messages, types.Message{Body: aws.String(m), MessageId: aws.String(m), ReceiptHandle: aws.String(m)})
	}
	return out, nil
}

func (q *fakeQueue) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	for _, e := range in.Entries {
		q.deleted = append(q.deleted, aws.ToString(e.ReceiptHandle))
	}
	return &sqs.DeleteMessageBatchOutput{}, nil
}

func TestAQueuesBatchIsDeletedAsTheAnswerSays(t *testing.T) {
	for _, c := range []struct {
		name    string
		partial bool
		answer  string
		err     error
		deleted []string
		retried []string
	}{
		{"all done", true, `{"batchItemFailures":[]}`, nil, []string{"a", "b"}, nil},
		{"null is done", true, `null`, nil, []string{"a", "b"}, nil},
		{"one failed", true, `{"batchItemFailures":[{"itemIdentifier":"a"}]}`, nil, []string{"b"}, []string{"a"}},
		{"the function failed", true, ``, errors.New("no"), nil, []string{"a", "b"}},
		{"an answer that cannot be read", true, `[`, nil, nil, []string{"a", "b"}},
		{"an empty identifier", true, `{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, nil, []string{"a", "b"}},
		{"failures nobody asked for", false, `{"batchItemFailures":[{"itemIdentifier":"a"}]}`, nil, []string{"a", "b"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			queue := &fakeQueue{messages: []string{"a", "b", "c"}}
			var got, retried []string
			f := invoked(func(records []string) (string, error) {
				got = records
				return c.answer, c.err
			})
			q := NewQueue(Mapping{Source: "arn:aws:sqs:r:1:q", Batch: 2, Partial: c.partial}, f, "r", quiet, queue, "http://host/1/q")
			q.Retry = func(_ context.Context, handle string) error {
				retried = append(retried, handle)
				return nil
			}
			require.NoError(t, q.round(t.Context(), t.Context()))
			require.Equal(t, []string{"a", "b"}, got, "no more than a batch")
			require.Equal(t, c.deleted, queue.deleted)
			require.Equal(t, c.retried, retried)
		})
	}
}

// fakeStream has one shard; its iterators are positions.
type fakeStream struct{ records []string }

func (s *fakeStream) ListStreams(context.Context, *dynamodbstreams.ListStreamsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error) {
	return &dynamodbstreams.ListStreamsOutput{}, nil
}

func (s *fakeStream) DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: &streamtypes.StreamDescription{Shards: []streamtypes.Shard{{ShardId: aws.String("shard")}}}}, nil
}

func (s *fakeStream) GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: aws.String("0")}, nil
}

func (s *fakeStream) GetRecords(_ context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	var from int
	if _, err := fmt.Sscan(aws.ToString(in.ShardIterator), &from); err != nil {
		return nil, err
	}
	to := min(len(s.records), from+int(aws.ToInt32(in.Limit)))
	out := &dynamodbstreams.GetRecordsOutput{NextShardIterator: aws.String(fmt.Sprint(to))}
	for i, key := range s.records[from:to] {
		out.Records = append(out.Records, streamtypes.Record{EventName: streamtypes.OperationTypeInsert, Dynamodb: &streamtypes.StreamRecord{
			SequenceNumber: aws.String(fmt.Sprint(from + i)), Keys: map[string]streamtypes.AttributeValue{"pk": &streamtypes.AttributeValueMemberS{Value: key}},
		}})
	}
	return out, nil
}

func poll(t *testing.T, m Mapping, f invoked, records ...string) (gaveUp []string) {
	t.Helper()
	m.Source = "arn:stream"
	s := NewStream(m, f, "r", quiet, &fakeStream{records}, func(_ context.Context, destination string, body []byte) error {
		require.Equal(t, m.OnFailure, destination)
		gaveUp = append(gaveUp, string(body))
		return nil
	})
	s.RetryPause = 0
	for range len(records) {
		_, err := s.round(t.Context(), t.Context())
		require.NoError(t, err)
	}
	return gaveUp
}

func TestAStreamIsDeliveredInOrderAndFiltered(t *testing.T) {
	var got []string
	filter := `{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":{"prefix":"feed"}}]}}}}`
	require.Empty(t, poll(t, Mapping{Batch: 2, Filters: []string{filter}}, func(records []string) (string, error) {
		got = append(got, strings.Join(records, " "))
		return "{}", nil
	}, "a", "b", "feed#1", "c", "feed#2", "feed#3"))
	require.Equal(t, []string{"a b", "c"}, got)
}

func TestAFailedBatchIsTriedAgainFromWhereItFailed(t *testing.T) {
	var got []string
	poll(t, Mapping{Batch: 3, Partial: true, Retries: 5}, func(records []string) (string, error) {
		got = append(got, strings.Join(records, ""))
		if len(got) == 1 {
			return `{"batchItemFailures":[{"itemIdentifier":"1"}]}`, nil
		}
		return "{}", nil
	}, "a", "b", "c")
	require.Equal(t, []string{"abc", "bc"}, got)
}

// A batch with a poison record is halved until the record stands alone, which is given up; all others arrive.
func TestBisectGivesUpThePoisonAlone(t *testing.T) {
	var arrived []string
	gaveUp := poll(t, Mapping{Batch: 4, Bisect: true, Retries: 2, OnFailure: "arn:aws:sqs:r:1:failures"}, func(records []string) (string, error) {
		if slices.Contains(records, "poison") {
			return "", errors.New("it is bad")
		}
		arrived = append(arrived, records...)
		return "{}", nil
	}, "a", "b", "poison", "d")
	require.Equal(t, []string{"a", "b", "d"}, arrived)
	require.Len(t, gaveUp, 1)
	require.Contains(t, gaveUp[0], `"batchSize":1`)
	require.Contains(t, gaveUp[0], `"startSequenceNumber":"2"`)
	require.Contains(t, gaveUp[0], "it is bad")
}

func TestAPatternThatIsNotKnownIsAnError(t *testing.T) {
	_, err := Mapping{Filters: []string{`{"a":[{"numeric":[">",1]}]}`}}.passes(events.SQSMessage{})
	require.ErrorContains(t, err, "numeric")
}
