package proxy

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/test/emulator/internal/policy"
)

var place = Place{
	Partition: "aws", Account: "123456789012", Region: "us-east-1",
	StackName: "Blox-blox", StackID: "arn:aws:cloudformation:us-east-1:123456789012:stack/Blox-blox/1",
}

func call(t *testing.T, p *Proxy, key, service, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20261123/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Target", target)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestCallsAreAttributedAndPassedOn(t *testing.T) {
	var seen []string
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Header.Get("Authorization")+" "+string(body))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer emulator.Close()
	at, err := url.Parse(emulator.URL)
	require.NoError(t, err)
	standIn := func(answer string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
	}
	p := New(place, at, "testing", standIn("simulated"), standIn("alarms"))
	p.Know("AKIAINGEST", Caller{Function: "ingest"})

	require.Equal(t, http.StatusTeapot, call(t, p, "AKIAINGEST", "sqs", "AmazonSQS.SendMessageBatch", `{"QueueUrl":"http://localhost:1/123456789012/events"}`).Code)
	require.Equal(t, "simulated", call(t, p, "AKIAINGEST", "ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", `{}`).Body.String())
	describe := httptest.NewRequest(http.MethodPost, "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", nil)
	describe.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAINGEST/20261123/us-east-1/monitoring/aws4_request, Signature=0")
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, describe)
	require.Equal(t, "alarms", answer.Body.String())
	require.Len(t, seen, 1)
	require.Contains(t, seen[0], "Credential=testing/20261123/us-east-1/sqs/aws4_request, SignedHeaders")
	require.Contains(t, seen[0], `{"QueueUrl"`)

	calls, err := p.Calls()
	require.NoError(t, err)
	require.Equal(t, []Call{
		{Caller{Function: "ingest"}, "sqs", "SendMessageBatch", []policy.Request{{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:123456789012:events"}}, http.StatusTeapot},
		{Caller{Function: "ingest"}, "ecs", "ListClusters", []policy.Request{{Action: "ecs:ListClusters", Resource: "*"}}, http.StatusOK},
		{Caller{Function: "ingest"}, "monitoring", "DescribeAlarms", []policy.Request{{Action: "cloudwatch:DescribeAlarms", Resource: "*"}}, http.StatusOK},
	}, calls)
	_, counts := Counts(calls)
	require.Equal(t, map[string]int{"ingest": 3}, counts)
}

// A call that nobody made, or that cannot be read, is not passed on and fails the whole recording.
func TestWhatCannotBeRecordedIsAProblem(t *testing.T) {
	for _, c := range [][4]string{
		{"AKIAOTHER", "sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"http://localhost/1/q"}`},
		{"AKIAINGEST", "sqs", "AmazonSQS.PurgeQueue", `{"QueueUrl":"http://localhost/1/q"}`},
		{"AKIAINGEST", "dynamodb", "DynamoDB_20120810.Scan", `{"TableName":"state"}`},
		{"AKIAINGEST", "s3", "X.Y", `{}`},
		{"AKIAINGEST", "dynamodb", "DynamoDB_20120810.GetItem", `nonsense`},
		{"AKIAINGEST", "sts", "", `Action=GetCallerIdentity`},
	} {
		p := New(place, &url.URL{}, "testing", nil, nil)
		p.Know("AKIAINGEST", Caller{Function: "ingest"})
		require.Equal(t, http.StatusNotImplemented, call(t, p, c[0], c[1], c[2], c[3]).Code, c)
		_, err := p.Calls()
		require.Error(t, err, c)
	}
}

func TestWhatIAMIsAsked(t *testing.T) {
	const db, cluster = "arn:aws:dynamodb:us-east-1:123456789012:table/", "arn:aws:ecs:us-east-1:123456789012:cluster/edge"
	in := func(action, resource string) policy.Request {
		return policy.Request{Action: action, Resource: resource, Context: map[string][]string{"ecs:cluster": {cluster}}}
	}
	for _, c := range []struct {
		service, action, body string
		want                  []policy.Request
	}{
		{"dynamodb", "GetItem", `{"TableName":"state","Key":{"pk":{"S":"a"}}}`, []policy.Request{
			{Action: "dynamodb:GetItem", Resource: db + "state", Context: map[string][]string{"dynamodb:LeadingKeys": {"a"}}},
		}},
		{"dynamodb", "Query", `{"TableName":"state","IndexName":"byHost","KeyConditionExpression":"#h = :h","ExpressionAttributeNames":{"#h":"host"},"ExpressionAttributeValues":{":h":{"S":"i-1"}}}`, []policy.Request{
			{Action: "dynamodb:Query", Resource: db + "state/index/byHost", Context: map[string][]string{"dynamodb:LeadingKeys": {"i-1"}}},
		}},
		{"dynamodb", "BatchGetItem", `{"RequestItems":{"state":{"Keys":[{"pk":{"S":"b"}},{"pk":{"S":"a"}},{"pk":{"S":"b"}}]}}}`, []policy.Request{
			{Action: "dynamodb:BatchGetItem", Resource: db + "state", Context: map[string][]string{"dynamodb:LeadingKeys": {"a", "b"}}},
		}},
		{"dynamodb", "BatchWriteItem", `{"RequestItems":{"state":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"b"}}}}]}}`, []policy.Request{
			{Action: "dynamodb:BatchWriteItem", Resource: db + "state", Context: map[string][]string{"dynamodb:LeadingKeys": {"a", "b"}}},
		}},
		{"dynamodb", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"daemon","Item":{"pk":{"S":"a"}}}},{"ConditionCheck":{"TableName":"daemon","Key":{"pk":{"S":"b"}}}}]}`, []policy.Request{
			{Action: "dynamodb:PutItem", Resource: db + "daemon", Context: map[string][]string{"dynamodb:LeadingKeys": {"a"}}},
			{Action: "dynamodb:ConditionCheckItem", Resource: db + "daemon", Context: map[string][]string{"dynamodb:LeadingKeys": {"b"}}},
		}},
		{"ecs", "DescribeTasks", `{"cluster":"edge","tasks":["1","arn:aws:ecs:us-east-1:123456789012:task/edge/2"]}`, []policy.Request{
			in("ecs:DescribeTasks", "arn:aws:ecs:us-east-1:123456789012:task/edge/1"), in("ecs:DescribeTasks", "arn:aws:ecs:us-east-1:123456789012:task/edge/2"),
		}},
		{"ecs", "ListTasks", `{"cluster":"` + cluster + `"}`, []policy.Request{in("ecs:ListTasks", "arn:aws:ecs:us-east-1:123456789012:container-instance/edge/*")}},
		{"ecs", "RunTask", `{"cluster":"edge","taskDefinition":"agent:3"}`, []policy.Request{in("ecs:RunTask", "arn:aws:ecs:us-east-1:123456789012:task-definition/agent:3")}},
		{"ecs", "StopTask", `{"cluster":"edge","task":"1"}`, []policy.Request{in("ecs:StopTask", "arn:aws:ecs:us-east-1:123456789012:task/edge/1")}},
		{"ecs", "PutAttributes", `{"cluster":"edge","attributes":[{"name":"a","value":"b","targetType":"container-instance","targetId":"arn:aws:ecs:us-east-1:123456789012:container-instance/edge/1"}]}`, []policy.Request{
			in("ecs:PutAttributes", "arn:aws:ecs:us-east-1:123456789012:container-instance/edge/1"),
		}},
		{"ecs", "RegisterTaskDefinition", `{"family":"agent"}`, []policy.Request{{Action: "ecs:RegisterTaskDefinition", Resource: "*"}}},
		{"ecs", "ListContainerInstances", `{"cluster":"edge"}`, []policy.Request{in("ecs:ListContainerInstances", cluster)}},
		{"ecs", "DescribeClusters", `{"clusters":["edge"]}`, []policy.Request{{Action: "ecs:DescribeClusters", Resource: cluster}}},
		{"events", "PutEvents", `{"Entries":[{"EventBusName":"blox-a","Source":"blox","DetailType":"X"}]}`, []policy.Request{
			{Action: "events:PutEvents", Resource: "arn:aws:events:us-east-1:123456789012:event-bus/blox-a", Context: map[string][]string{"events:source": {"blox"}, "events:detail-type": {"X"}}},
		}},
	} {
		got, err := place.json(c.service, c.action, []byte(c.body))
		require.NoError(t, err, c.action)
		require.Equal(t, c.want, got, c.action)
	}
	const stream = db + "state/stream/1"
	got, err := streams("GetRecords", []byte(`{"ShardIterator":"x"}`), stream)
	require.NoError(t, err)
	require.Equal(t, []policy.Request{{Action: "dynamodb:GetRecords", Resource: stream}}, got)
	_, err = streams("GetRecords", []byte(`{"ShardIterator":"x"}`), "")
	require.ErrorContains(t, err, "which stream")
	got, err = place.query("sts", "AssumeRole", url.Values{"RoleArn": {"arn:role"}, "ExternalId": {"e"}})
	require.NoError(t, err)
	require.Equal(t, []policy.Request{{Action: "sts:AssumeRole", Resource: "arn:role", Context: map[string][]string{"sts:ExternalId": {"e"}}}}, got)
	got, err = place.query("cloudformation", "DescribeStacks", url.Values{"StackName": {"Blox-blox"}})
	require.NoError(t, err)
	require.Equal(t, []policy.Request{{Action: "cloudformation:DescribeStacks", Resource: place.StackID}}, got)
	_, err = rpc("monitoring", "PutMetricAlarm")
	require.ErrorContains(t, err, "is not known here")
	_, err = place.query("cloudformation", "DescribeStacks", url.Values{"StackName": {"Other"}})
	require.ErrorContains(t, err, "is not known here")
}

// A move of a whole queue is one call, and asks for what SQS then does in the caller's name.
func TestWhatIAMIsAskedForAMove(t *testing.T) {
	const dead, queue = "arn:aws:sqs:us-east-1:123456789012:dead", "arn:aws:sqs:us-east-1:123456789012:queue"
	got, err := place.json("sqs", "StartMessageMoveTask", []byte(`{"SourceArn":"`+dead+`","DestinationArn":"`+queue+`"}`))
	require.NoError(t, err)
	require.ElementsMatch(t, []policy.Request{
		{Action: "sqs:StartMessageMoveTask", Resource: dead},
		{Action: "sqs:ReceiveMessage", Resource: dead},
		{Action: "sqs:DeleteMessage", Resource: dead},
		{Action: "sqs:GetQueueAttributes", Resource: dead},
		{Action: "sqs:SendMessage", Resource: queue},
	}, got)
	got, err = place.json("sqs", "ListMessageMoveTasks", []byte(`{"SourceArn":"`+dead+`"}`))
	require.NoError(t, err)
	require.Equal(t, []policy.Request{{Action: "sqs:ListMessageMoveTasks", Resource: dead}}, got)
	handle := base64.StdEncoding.EncodeToString([]byte(`{"taskId":"1","sourceArn":"` + dead + `"}`))
	got, err = place.json("sqs", "CancelMessageMoveTask", []byte(`{"TaskHandle":"`+handle+`"}`))
	require.NoError(t, err)
	require.Equal(t, []policy.Request{{Action: "sqs:CancelMessageMoveTask", Resource: dead}}, got)
	_, err = place.json("sqs", "CancelMessageMoveTask", []byte(`{"TaskHandle":"nonsense"}`))
	require.ErrorContains(t, err, "the handle")
}
