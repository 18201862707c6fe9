package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dispatch"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/member"
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
	return newMeasuredDrive(t, wakeups, metrics.Discard{})
}

func newMeasuredDrive(t *testing.T, wakeups queue.Sender, sink metrics.Sink) lambda.Handler {
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
		Announce: announce.Discard{}, Metrics: sink, Log: log,
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
			var sink metrics.Memory
			answer, err := newMeasuredDrive(t, &sender{}, &sink).Invoke(t.Context(), batch(t, c.bodies...))
			require.NoError(t, err)
			require.Equal(t, c.want, failures(t, answer))
			var counted []int64
			if len(c.want) > 0 {
				counted = []int64{int64(len(c.want))}
			}
			require.Equal(t, counted, sink.Of(metrics.DriveMessagesFailed))
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

func TestEachHandlerIsToldWhatItNeeds(t *testing.T) {
	both := map[string]string{
		"BLOX_HANDLER": "dispatch", "BLOX_STATE_TABLE": "state", "BLOX_DAEMON_TABLE": "daemon", "BLOX_WAKEUP_QUEUE_URL": "https://queue",
		"BLOX_INSTALLATION": "main", "BLOX_RETENTION_DAYS": "7",
	}
	want := Settings{
		Handler: HandlerDispatch, StateTable: "state", DaemonTable: "daemon", WakeupQueueURL: "https://queue",
		Installation: "main", VisibleFor: 7 * 24 * time.Hour,
	}
	for value, forward := range map[string]bool{"true": true, "false": false} {
		ofDispatch := maps.Clone(both)
		maps.Copy(ofDispatch, map[string]string{"BLOX_EVENT_BUS": "blox-main", "BLOX_FORWARD_CHANGES": value})
		want.Dispatch = DispatchSettings{EventBus: "blox-main", ForwardChanges: forward}
		requireSettings(t, ofDispatch, want)

		ofDispatch["BLOX_FORWARD_CHANGES"] = "1"
		_, err := SettingsFrom(func(name string) string { return ofDispatch[name] })
		require.EqualError(t, err, `environment variable BLOX_FORWARD_CHANGES is "1": allowed are true and false`)
	}

	ofDrive := maps.Clone(both)
	maps.Copy(ofDrive, map[string]string{
		"BLOX_HANDLER": "drive", "BLOX_ACCOUNT": "210987654321", "AWS_REGION": "eu-west-1", "BLOX_RECONCILE_MINUTES": "10",
		"BLOX_ECS_READS_PER_SECOND": "4", "BLOX_ECS_MODIFIES_PER_SECOND": "8", "BLOX_EVENT_BUS": "blox-main",
		"BLOX_MEMBERS": "210987654321/eu-west-2,123456789012/eu-west-1", "BLOX_EXTERNAL_ID": "secret",
	})
	want.Handler, want.Dispatch = HandlerDrive, DispatchSettings{}
	want.Drive = DriveSettings{
		Settings: member.Settings{
			Home:       member.Place{Account: "210987654321", Region: "eu-west-1"},
			Members:    []member.Place{{Account: "210987654321", Region: "eu-west-2"}, {Account: "123456789012", Region: "eu-west-1"}},
			ExternalID: "secret",
		},
		ReconcilePeriod: 10 * time.Minute, ReadsPerSecond: 4, ModifiesPerSecond: 8, EventBus: "blox-main",
	}
	requireSettings(t, ofDrive, want)
}

// requireSettings wants all of the environment's variables to be needed.
func requireSettings(t *testing.T, environment map[string]string, want Settings) {
	t.Helper()
	got, err := SettingsFrom(func(name string) string { return environment[name] })
	require.NoError(t, err)
	require.Equal(t, want, got)
	for name := range environment {
		_, err := SettingsFrom(func(asked string) string {
			if asked == name {
				return ""
			}
			return environment[asked]
		})
		require.ErrorContains(t, err, "environment variable "+name+" is not set")
	}
}

// Lambda is told where to go on, so that what came before a record that cannot be read is not done again.
func TestDispatchReportsTheFirstRecordThatCannotBeRead(t *testing.T) {
	var stored events.DynamoDBEvent
	db := memory.New(memory.WithStream(func(_ string, record events.DynamoDBEventRecord) {
		stored.Records = append(stored.Records, record)
	}))
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	states := table.NewState(db, "state", state.DefaultVisibleFor)
	for _, id := range []string{"a", "b", "c"} {
		parsed, err := event.Parse(eventtest.Task(eventtest.ID(id)))
		require.NoError(t, err)
		_, err = states.Put(t.Context(), *parsed.Observation, eventtest.DefaultTime)
		require.NoError(t, err)
	}
	batch := stored
	batch.Records = slices.Clone(stored.Records)
	batch.Records[1].Change.NewImage = map[string]events.DynamoDBAttributeValue{"version": events.NewStringAttribute("one")}
	raw, err := json.Marshal(batch)
	require.NoError(t, err)

	handler := lambda.NewHandler(Dispatch(dispatch.New(dispatch.Config{
		State: states, Daemon: table.NewDaemon(db, "daemon"), Feed: table.NewFeed(db, "state", time.Now), Wakeups: &sender{},
		Installation: "main", Log: slog.New(slog.DiscardHandler),
	})))
	answer, err := handler.Invoke(t.Context(), raw)
	require.NoError(t, err)
	require.Equal(t, []string{batch.Records[1].Change.SequenceNumber}, failures(t, answer))
}
