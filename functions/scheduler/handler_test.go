package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// sender keeps what is sent, or fails.
type sender struct {
	sent []queue.Message
	err  error
}

func (s *sender) Send(_ context.Context, messages []queue.Message) error {
	s.sent = append(s.sent, messages...)
	return s.err
}

// newDrive is the handler as Lambda runs it, on tables with one environment, "env".
func newDrive(t *testing.T, wakeups queue.Sender) lambda.Handler {
	t.Helper()
	db := memory.New()
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	environments := table.NewDaemon(db, "daemon")
	require.NoError(t, environments.CreateEnvironment(t.Context(),
		daemon.Environment{ID: "env", Name: "log-agent", Status: daemon.EnvironmentActive}, daemon.Revision{EnvironmentID: "env", Number: 1}))
	log := slog.New(slog.DiscardHandler)
	return lambda.NewHandler(Drive(drive.New(drive.Config{
		State: table.NewState(db, "state", state.DefaultVisibleFor), Daemon: environments, Wakeups: wakeups,
		ECS: func(string, string) (ecsapi.API, error) { return nil, errors.New("no ECS in this test") },
		Now: time.Now, NewOwner: func() string { return "test" }, Installation: "main",
		Settings: daemon.DefaultSettings(), Modify: drive.DefaultModify, Describe: drive.DefaultDescribe, Workers: 1,
		Announce: announce.Discard{}, Metrics: metrics.Discard{}, Log: log,
	}), log))
}

func batch(t *testing.T, bodies ...string) []byte {
	t.Helper()
	var event events.SQSEvent
	for i, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{MessageId: string(rune('a' + i)), Body: body, EventSource: "aws:sqs"})
	}
	raw, err := json.Marshal(event)
	require.NoError(t, err)
	return raw
}

func failures(t *testing.T, answer []byte) (ids []string) {
	t.Helper()
	var response events.SQSEventResponse
	require.NoError(t, json.Unmarshal(answer, &response))
	for _, f := range response.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

func TestDriveReportsOnlyTheMessagesThatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		bodies []string
		want   []string
	}{
		"wake-ups":                    {[]string{`{"environmentId":"env"}`, `{"environmentId":"gone"}`}, nil},
		"a message that is no JSON":   {[]string{`{`, `{"environmentId":"env"}`}, []string{"a"}},
		"a message that names nobody": {[]string{`{"environmentId":"env"}`, `{}`}, []string{"b"}},
		"a host that is no key":       {[]string{`{"environmentId":"env","instances":["x"]}`}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := newDrive(t, &sender{}).Invoke(t.Context(), batch(t, c.bodies...))
			require.NoError(t, err)
			require.Equal(t, c.want, failures(t, answer))
		})
	}
}

func TestTheTickWakesTheEnvironments(t *testing.T) {
	wakeups := &sender{}
	_, err := newDrive(t, wakeups).Invoke(t.Context(), []byte(`{"source":"blox.tick"}`))
	require.NoError(t, err)
	require.Len(t, wakeups.sent, 1)
	require.JSONEq(t, `{"environmentId":"env"}`, wakeups.sent[0].Body)

	_, err = newDrive(t, &sender{err: errors.New("queue is away")}).Invoke(t.Context(), []byte(`{"source":"blox.tick"}`))
	require.ErrorContains(t, err, "queue is away", "a tick that fails is tried again")
}

func TestDriveRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, payload := range []string{`{}`, `[]`, `{"source":"other"}`} {
		_, err := newDrive(t, &sender{}).Invoke(t.Context(), []byte(payload))
		require.ErrorContains(t, err, "neither the tick")
	}
}
