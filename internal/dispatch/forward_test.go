package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// forwards keeps entries, or fails.
type forwards struct {
	entries []announce.Entry
	err     error
}

func (f *forwards) PutEntries(_ context.Context, entries []announce.Entry) error {
	f.entries = append(f.entries, entries...)
	return f.err
}

func TestChangesAreForwardedInTheirOrder(t *testing.T) {
	w, bus := newWorld(t), &forwards{}
	w.dispatcher.Forward = bus
	w.store(host(1, "ACTIVE", true), task("a", 1, "PENDING", "service:web"), task("a", 2, "RUNNING", "service:web"), host(2, "DRAINING", false))
	require.NoError(t, w.state.AddCluster(t.Context(), cluster)) // a cluster is none of the changes
	w.dispatch()

	const arn = "arn:aws:ecs:eu-west-1:210987654321:"
	common := `"installation":"main","clusterArn":"` + arn + `cluster/edge","reason":"written","storedAt":"2026-11-20T09:00:00Z",`
	want := []struct{ detailType, arn, detail string }{
		{"Container Instance State Change", arn + "container-instance/edge/host1", `{` + common + `
			"arn":"` + arn + `container-instance/edge/host1","version":1,"status":"ACTIVE","agentConnected":true,"ec2InstanceId":"i-0a1b2c3d4e5f60718"}`},
		{"Task State Change", arn + "task/edge/a", `{` + common + `
			"arn":"` + arn + `task/edge/a","version":1,"lastStatus":"PENDING","desiredStatus":"RUNNING","family":"log-agent",
			"group":"service:web","startedBy":"ops","containerInstanceArn":"` + arn + `container-instance/edge/host1"}`},
		{"Task State Change", arn + "task/edge/a", `{` + common + `
			"arn":"` + arn + `task/edge/a","version":2,"lastStatus":"RUNNING","desiredStatus":"RUNNING","family":"log-agent",
			"group":"service:web","startedBy":"ops","containerInstanceArn":"` + arn + `container-instance/edge/host1",
			"previous":{"version":1,"lastStatus":"PENDING","desiredStatus":"RUNNING"}}`},
		{"Container Instance State Change", arn + "container-instance/edge/host1", `{` + common + `
			"arn":"` + arn + `container-instance/edge/host1","version":2,"status":"DRAINING","agentConnected":false,
			"ec2InstanceId":"i-0a1b2c3d4e5f60718","previous":{"version":1,"status":"ACTIVE","agentConnected":true}}`},
	}
	require.Len(t, bus.entries, len(want))
	for i, entry := range bus.entries {
		require.Equal(t, want[i].detailType, entry.DetailType)
		require.Equal(t, []string{want[i].arn, arn + "cluster/edge"}, entry.Resources)
		require.Equal(t, t0, entry.At)
		require.JSONEq(t, want[i].detail, entry.Detail)
	}
}

func TestAnEndIsForwardedWithWhatIsKnownOfIt(t *testing.T) {
	key := state.Key{Kind: state.KindTask, Cluster: cluster, ID: "a"}
	living := state.Record{Key: key, ARN: "arn", Version: 3, StoredAt: t0, Task: state.TaskFields{LastStatus: "RUNNING"}}
	inferred := state.InferGone(living, t0.Add(time.Hour), time.Hour)
	for name, c := range map[string]struct {
		change table.RecordChange
		want   ForwardedChange
		at     time.Time
	}{
		"inferred": {
			table.RecordChange{Key: key, Old: &living, New: &inferred}, ForwardedChange{
				Reason: table.ReasonGone, Inferred: true, LastStatus: "STOPPED", DesiredStatus: "STOPPED", StoredAt: t0.Add(time.Hour),
				Previous: &ForwardedPrevious{Version: 3, LastStatus: "RUNNING"},
			}, t0.Add(time.Hour),
		},
		"expired": {
			table.RecordChange{Key: key, Old: &inferred, Expired: true}, ForwardedChange{
				Reason: table.ReasonExpired, Inferred: true, LastStatus: "STOPPED", DesiredStatus: "STOPPED", StoredAt: t0.Add(time.Hour),
			}, time.Time{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			entry, err := forwarded(c.change, "main")
			require.NoError(t, err)
			require.Equal(t, c.at, entry.At, "a deletion has the time at which it is told")
			var got ForwardedChange
			require.NoError(t, json.Unmarshal([]byte(entry.Detail), &got))
			c.want.Installation, c.want.ARN, c.want.ClusterARN, c.want.Version = "main", "arn", cluster.ARN(""), 3
			require.Equal(t, c.want, got)
		})
	}
}

// EventBridge refuses a call of more than 256 KB as a whole, and the same call would come again and again.
func TestHostileTextsFitIntoACall(t *testing.T) {
	hostile := strings.Repeat("\x01", 10_000) // six bytes each in JSON
	long := state.Key{Kind: state.KindTask, Cluster: state.ClusterKey{Account: cluster.Account, Region: cluster.Region, Name: strings.Repeat("c", 255)}, ID: "a"}
	record := state.Record{Key: long, ARN: long.Cluster.ARN("") + strings.Repeat("x", 255), Version: 1, Task: state.TaskFields{
		LastStatus: hostile, DesiredStatus: hostile, StartedBy: hostile, Group: hostile, Family: hostile, ContainerInstanceID: hostile,
	}}
	entry, err := forwarded(table.RecordChange{Key: long, Old: &record, New: &record}, "main")
	require.NoError(t, err)
	const perCall, sourceAndTime = 10, 14 + len("blox")
	size := sourceAndTime + len(entry.DetailType) + len(entry.Detail) + len(entry.Resources[0]) + len(entry.Resources[1])
	require.Less(t, perCall*size, 256<<10)
}

func TestABusThatFailsComesAfterEverythingElse(t *testing.T) {
	w := newWorld(t)
	w.dispatcher.Forward = &forwards{err: errors.New("no such bus")}
	w.store(task("a", 1, "RUNNING", daemon.Group("main", "env")))
	err := w.dispatcher.Batch(t.Context(), w.stream)
	require.EqualError(t, err, "forwarding 1 changes: no such bus")
	require.Len(t, w.sent, 1, "the environment is woken all the same")
}

func TestNothingIsForwardedUnlessThatIsWanted(t *testing.T) {
	w, bus := newWorld(t), &forwards{}
	w.store(task("a", 1, "RUNNING", "service:web"))
	w.dispatch()
	w.dispatcher.Forward = bus
	w.dispatch()
	require.Empty(t, bus.entries, "no changes, no call")
}
