package wakeup

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
)

type outbox []queue.Message

func (o *outbox) Send(_ context.Context, messages []queue.Message) error {
	*o = append(*o, messages...)
	return nil
}

func instance(id string) state.Key {
	return state.Key{
		Kind:    state.KindContainerInstance,
		Cluster: state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}, ID: id,
	}
}

func TestAWakeupComesBackAsItWasSent(t *testing.T) {
	var sent outbox
	require.NoError(t, Send(t.Context(), &sent, time.Hour, Wakeup{EnvironmentID: "env", Instances: []state.Key{instance("a"), instance("b")}}))
	require.Equal(t, queue.MaxDelay, sent[0].Delay, "SQS delays no longer; the tick does the rest")
	back, err := Parse(sent[0].Body)
	require.NoError(t, err)
	require.Equal(t, "env", back.EnvironmentID)
	require.Equal(t, []state.Key{instance("a"), instance("b")}, back.Instances)
}

func TestTooManyInstancesAskForEverything(t *testing.T) {
	var sent outbox
	w := Wakeup{EnvironmentID: "env"}
	for i := range MaxInstances + 1 {
		w.Instances = append(w.Instances, instance(fmt.Sprint(i)))
	}
	require.NoError(t, Send(t.Context(), &sent, 0, w))
	require.JSONEq(t, `{"environmentId":"env"}`, sent[0].Body)
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		`{`:  "wake-up",
		`{}`: "environmentId is missing",
		`{"environmentId":"env","instances":["x"]}`: "invalid key",
	} {
		_, err := Parse(body)
		require.ErrorContains(t, err, want, body)
	}
}
