package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dlq"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/local"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
	"github.com/blox/blox/internal/queue/sqssim"
)

// deadLetterSession is a session with a stack that has dead-letter queues, and SQS in the place of AWS's.
type deadLetterSession struct {
	*session
	aws          *someAWS
	events, dead *memory.Queue
}

func newDeadLetterSession(t *testing.T) *deadLetterSession {
	s := &deadLetterSession{session: newSession(t), aws: newAWS(t)}
	clock := func() time.Time { return s.now }
	s.events, s.dead = memory.New(memory.Options{Now: clock}), memory.New(memory.Options{Now: clock})
	service := sqssim.New("123456789012", "eu-west-1", clock)
	service.Add("events", s.events, nil)
	service.Add("events-dead-letters", s.dead, nil)
	service.Add("other", memory.New(memory.Options{Now: clock}), nil)
	others := s.aws.Config.Handler
	s.aws.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), sqssim.TargetPrefix) {
			service.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
	t.Setenv("AWS_ENDPOINT_URL_SQS", s.aws.URL)
	for output, name := range map[string]string{
		"EventsQueueUrl": "events", "EventsDeadLettersUrl": "events-dead-letters", "RuleDeadLettersUrl": "other",
		"ReconcileQueueUrl": "other", "ReconcileDeadLettersUrl": "other", "StreamFailuresUrl": "other",
	} {
		s.aws.outputs += "<member><OutputKey>" + output + "</OutputKey><OutputValue>https://sqs.eu-west-1.amazonaws.com/123456789012/" +
			name + "</OutputValue></member>"
	}
	return s
}

// withLetters puts three messages into the dead-letter queue, the last of them now.
func (s *deadLetterSession) withLetters() *deadLetterSession {
	send := func(body, reason, text string) {
		require.NoError(
			s.t,
			s.dead.Send(
				s.t.Context(),
				[]queue.Message{{Body: body, Attributes: map[string]string{"reason": reason, "error": text}}},
			),
		)
	}
	send(
		string(eventtest.Task(eventtest.WithoutField("taskArn"))),
		"missing-arn",
		"invalid event (missing-arn): taskArn is missing",
	)
	s.now = s.now.Add(3 * time.Hour)
	send("non\x1b[31msense", "not-json", "not a JSON object")
	send(
		`{"id": "b9c1", "detail-type": "ECS Surprise", "resources": ["arn:aws:ecs:eu-west-1:1:task/x"]}`,
		"not-json",
		"not a JSON object",
	)
	return s
}

func TestDeadLettersOfAStack(t *testing.T) {
	for name, line := range map[string]string{
		"dlq-list":           "dlq list --stack Blox-blox",
		"dlq-list-json":      "dlq list --stack Blox-blox -o json",
		"dlq-show":           "dlq show --stack Blox-blox",
		"dlq-show-limited":   "dlq show events --stack Blox-blox --limit 1 -o json",
		"dlq-show-empty":     "dlq show rule --stack Blox-blox",
		"dlq-redrive":        "dlq redrive --stack Blox-blox --yes",
		"dlq-redrive-dry":    "dlq redrive --stack Blox-blox --dry-run --reason not-json",
		"dlq-redrive-id":     "dlq redrive --stack Blox-blox --yes --id b9c1 --max-per-second 1 -o json",
		"dlq-redrive-no-id":  "dlq redrive --stack Blox-blox --yes --id nobody",
		"dlq-redrive-no-why": "dlq redrive --stack Blox-blox --yes --reason nope",
		"dlq-redrive-empty":  "dlq redrive rule --stack Blox-blox",
		"dlq-redrive-stream": "dlq redrive stream --stack Blox-blox",
		"help-dlq-redrive":   "dlq redrive --help",
		"help-dlq":           "dlq --help",
	} {
		t.Run(name, func(t *testing.T) { newDeadLetterSession(t).withLetters().run(line).golden(name) })
	}
}

func TestRedriveAsks(t *testing.T) {
	for _, c := range []struct {
		stdin, says string
		code, sent  int
	}{
		{"y\n", "", exitOK, 2},
		{"Yes", "", exitOK, 2},
		{"n\n", "nothing was sent", exitFailed, 0},
		{"\n", "nothing was sent", exitFailed, 0},
		{"", "give --yes where nobody can be asked", exitUsage, 0},
	} {
		s := newDeadLetterSession(t).withLetters()
		s.stdin = c.stdin
		got := s.run("dlq redrive --stack Blox-blox --reason not-json")
		require.Equal(t, c.code, got.code, got.stderr)
		require.Contains(
			t,
			got.stderr,
			"send 2 messages of events back to https://sqs.eu-west-1.amazonaws.com/123456789012/events? [y/N] ",
		)
		require.Contains(t, got.stderr, c.says)
		require.Equal(t, c.sent, s.events.Len())
		require.Equal(t, 3-c.sent, s.dead.Len())
	}
}

// A move does not look at what it moves: what is in the queue again some seconds later is told.
func TestARedriveOfAllTellsWhatCameBack(t *testing.T) {
	s := newDeadLetterSession(t).withLetters()
	s.onPause = func() {
		require.NoError(t, s.dead.Send(t.Context(), []queue.Message{{Body: "a"}, {Body: "b"}}))
	}
	got := s.run("dlq redrive --stack Blox-blox --yes -o json")
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, "blox: 2 are in it again: see blox dlq show events\n", got.stderr)
	require.Contains(t, got.stdout, `"cameBack": 2`)

	s = newDeadLetterSession(t).withLetters()
	ctx, cancel := context.WithCancel(t.Context())
	s.onPause = cancel
	got = s.runIn(ctx, "dlq redrive --stack Blox-blox --yes")
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, "moved back 3 messages of events\n", got.stdout)
	require.Contains(t, got.stderr, "interrupted")
}

func TestWhereDeadLettersAre(t *testing.T) {
	s := newDeadLetterSession(t)
	s.run("dlq list --stack Blox-other").fails(exitNotFound, "there is no stack Blox-other in region eu-west-1")
	s.run(
		"dlq show wakeups --stack Blox-blox",
	).fails(
		exitUsage,
		`there is no dead-letter queue "wakeups": allowed are events, rule, reconcile, stream`,
	)
	s.run("dlq list").fails(exitUsage, "there is no blox local at "+s.endpoint, "give --stack")
	s.run("dlq list --endpoint http://127.0.0.1:1").fails(exitFailed, "connection refused")
	s.aws.outputs = ""
	s.run("dlq list --stack Blox-blox").fails(exitFailed, "no output with the address of a dead-letter queue")
}

func TestMistakesOfDLQ(t *testing.T) {
	s := newDeadLetterSession(t)
	for line, says := range map[string]string{
		"dlq":                            "what to dlq is missing: allowed are list, redrive, show",
		"dlq show --limit 101":           "--limit 101: allowed are 1 to 100",
		"dlq show --limit 0":             "--limit 0: allowed is 1 or more",
		"dlq redrive --max-per-second 0": "--max-per-second 0: allowed are 1 to 500",
		"dlq redrive --timeout 37h":      "at most 36h",
		"dlq redrive -o json":            "give --yes or --dry-run",
		"dlq redrive reconcile --stack Blox-blox --reason x": "only all together",
		"dlq redrive a b": "2 arguments",
	} {
		s.run(line).fails(exitUsage, says)
	}
}

// TestDeadLettersOfLocalMode sends something that is no event through all of a blox local, looks at it, and sends it
// back: it is set aside again, and a good event is stored.
func TestDeadLettersOfLocalMode(t *testing.T) {
	system, err := local.Start(
		t.Context(),
		local.Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: local.StoreMemory},
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, system.Stop(context.WithoutCancel(t.Context()))) })
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	s := newSession(t)
	s.now, s.env[endpointEnv] = time.Now(), system.APIURL()

	outputs, err := localOutputs(t.Context(), system.APIURL())
	require.NoError(t, err)
	queues := sqs.New(sqs.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(system.ECSURL()),
		Credentials:  credentials.NewStaticCredentialsProvider("testing", "testing", ""),
	})
	_, err = queues.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{
		QueueUrl: aws.String(
			outputs["EventsQueueUrl"],
		),
		Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("nonsense")}},
	})
	require.NoError(t, err)
	shown := func() []dlq.Letter {
		var answer struct{ Items []dlq.Letter }
		got := s.run("dlq show -o json")
		require.Equal(t, exitOK, got.code, got.stderr)
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &answer))
		return answer.Items
	}
	var first []dlq.Letter
	require.Eventually(t, func() bool { first = shown(); return len(first) == 1 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, "not-json", first[0].Reason)
	require.Equal(t, "nonsense", first[0].Body)
	require.Contains(t, s.run("dlq list").stdout, "events      1")

	paused := 0
	s.onPause = func() { // what redrive waits for
		paused++
		s.onPause = func() {}
		require.Eventually(t, func() bool {
			again := shown()
			return len(again) == 1 && again[0].MessageID != first[0].MessageID && again[0].Reason == "not-json"
		}, time.Minute, 10*time.Millisecond, "ingest set it aside again")
	}
	got := s.run("dlq redrive --yes")
	require.Equal(t, 1, paused)
	require.Equal(t, "moved back 1 message of events\n", got.stdout, got.stderr)
	require.Equal(t, "blox: 1 are in it again: see blox dlq show events\n", got.stderr)
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, s.run("doctor").stdout, "EventsDeadLettersUrl has 1 messages", "which finds the queues as dlq does")
}
