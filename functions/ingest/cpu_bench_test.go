package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/functionlog"
	"github.com/blox/blox/internal/ingest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

const cpuBatch = 10

// BenchmarkCPU is what the function itself costs, per event in batches of ten: from Lambda's JSON to DynamoDB's
// requests, signed and encoded by the SDK, log and metrics included. An HTTP transport that answers at once is in
// DynamoDB's place.
func BenchmarkCPU(b *testing.B) {
	for _, c := range []struct {
		name   string
		answer func(b *testing.B) answerAtOnce
	}{
		{"new", func(*testing.B) answerAtOnce { return answerAtOnce{http.StatusOK, "{}"} }},
		{"newer", func(b *testing.B) answerAtOnce {
			return answerAtOnce{http.StatusOK, `{"Attributes":` + oldItem(b) + `}`}
		}},
		{"duplicate", func(b *testing.B) answerAtOnce {
			return answerAtOnce{http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",` +
				`"message":"The conditional request failed","Item":` + oldItem(b) + `}`}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			handler := cpuHandler(c.answer(b))
			payload := cpuPayload(b)
			_, err := handler.Invoke(b.Context(), payload) // the cluster is known from here on
			require.NoError(b, err)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				answer, err := handler.Invoke(b.Context(), payload)
				if err != nil || string(answer) != `{"batchItemFailures":[]}` {
					b.Fatalf("answer %s, error %v", answer, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*cpuBatch), "ns/event")
		})
	}
}

func cpuHandler(answer answerAtOnce) lambda.Handler {
	db := dynamodb.New(dynamodb.Options{
		Region: eventtest.DefaultRegion, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		HTTPClient: &http.Client{Transport: answer},
	})
	clock := func() time.Time { return now }
	return lambda.NewHandler(New(ingest.Config{
		Store:       table.NewState(dynamo.RetryUnprocessed(db), "state", state.DefaultVisibleFor),
		DeadLetters: &fakeQueue{}, Hints: &fakeQueue{}, Now: clock, Workers: 16,
		Metrics: metrics.NewEMF(io.Discard, "main", clock), Logger: functionlog.New(io.Discard),
	}).Handle)
}

func cpuPayload(b *testing.B) []byte {
	var in events.SQSEvent
	for i := range cpuBatch {
		body := eventtest.Task(eventtest.ID(fmt.Sprintf("%032x", i)), eventtest.Version(3))
		in.Records = append(in.Records, events.SQSMessage{
			MessageId: fmt.Sprintf(
				"message-%d",
				i,
			),
			ReceiptHandle: strings.Repeat("r", 180),
			Body:          string(body),
			EventSource:   "aws:sqs",
			Attributes: map[string]string{
				"ApproximateReceiveCount":          "1",
				"SentTimestamp":                    "1795165200000",
				"ApproximateFirstReceiveTimestamp": "1795165200001",
			},
		})
	}
	payload, err := json.Marshal(in)
	require.NoError(b, err)
	return payload
}

// oldItem is what DynamoDB returns of a task that it has, in its JSON protocol.
func oldItem(b *testing.B) string {
	db := &lastKeyDB{API: memory.New()}
	newFunction(b, db, "state").send(b, eventtest.Task(eventtest.Version(3)))
	out, err := db.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: aws.String("state"), Key: db.key})
	require.NoError(b, err)
	require.Contains(b, out.Item, "event")
	text, err := json.Marshal(wire(&types.AttributeValueMemberM{Value: out.Item}).(map[string]any)["M"])
	require.NoError(b, err)
	return string(text)
}

// lastKeyDB remembers which item was updated last.
type lastKeyDB struct {
	dynamo.API
	key map[string]types.AttributeValue
}

func (db *lastKeyDB) UpdateItem(
	ctx context.Context,
	in *dynamodb.UpdateItemInput,
	opts ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	db.key = in.Key
	return db.API.UpdateItem(ctx, in, opts...)
}

// wire is a value in DynamoDB's JSON protocol.
func wire(value types.AttributeValue) any {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberM:
		values := map[string]any{}
		for name, member := range v.Value {
			values[name] = wire(member)
		}
		return map[string]any{"M": values}
	case *types.AttributeValueMemberL:
		values := []any{}
		for _, member := range v.Value {
			values = append(values, wire(member))
		}
		return map[string]any{"L": values}
	default:
		panic(fmt.Sprintf("a value of type %T is not in an item of ours", value))
	}
}

// answerAtOnce is a transport that reads a request and answers it the same always.
type answerAtOnce struct {
	status int
	body   string
}

func (a answerAtOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader([]byte(a.body))),
	}, nil
}
