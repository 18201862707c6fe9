package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/stream"
)

var t0 = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func TestAFunctionSaysWhatItsSettingsMayBe(t *testing.T) {
	good := map[string]string{"CRASHES": "3", "WITHIN": "10m", "BLOX_ENDPOINT": "https://blox.example.com/v1"}
	t.Setenv("AWS_REGION", "eu-west-1")
	handler, err := newHandler(t.Context(), func(name string) string { return good[name] })
	require.NoError(t, err)
	_, err = lambda.NewHandler(handler).Invoke(t.Context(), []byte(`{"Records":[]}`))
	require.NoError(t, err)
	for name, bad := range map[string]string{"CRASHES": "1", "WITHIN": "25h", "BLOX_ENDPOINT": "blox"} {
		_, err := newHandler(t.Context(), func(asked string) string {
			if asked == name {
				return bad
			}
			return good[asked]
		})
		require.ErrorContains(t, err, "allowed")
	}
}

func at(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

func TestFindLoops(t *testing.T) {
	of := func(reason, host string, minutes ...int) (crashes []crash) {
		for _, m := range minutes {
			crashes = append(crashes, crash{Host: host, Reason: reason, At: at(m)})
		}
		return crashes
	}
	for name, c := range map[string]struct {
		crashes [][]crash
		want    []loop
	}{
		"none":                       {nil, nil},
		"too few":                    {[][]crash{of("exit 1", "h", 0, 5)}, nil},
		"too slow":                   {[][]crash{of("exit 1", "h", 0, 5, 10)}, nil},
		"just in time":               {[][]crash{of("exit 1", "h", 1, 5, 10)}, []loop{{Reason: "exit 1", Crashes: 3, First: at(1), Last: at(10), Host: "h"}}},
		"on several hosts":           {[][]crash{of("exit 1", "h", 1, 5), of("exit 1", "g", 9)}, []loop{{Reason: "exit 1", Crashes: 3, First: at(1), Last: at(9)}}},
		"for several reasons":        {[][]crash{of("exit 1", "h", 1, 5), of("no image", "h", 9)}, nil},
		"only the last ones count":   {[][]crash{of("exit 1", "h", 0, 20, 22, 24)}, []loop{{Reason: "exit 1", Crashes: 3, First: at(20), Last: at(24), Host: "h"}}},
		"two loops, in their order":  {[][]crash{of("b", "h", 0, 1, 2), of("a", "h", 0, 1, 2)}, []loop{{Reason: "a", Crashes: 3, First: at(0), Last: at(2), Host: "h"}, {Reason: "b", Crashes: 3, First: at(0), Last: at(2), Host: "h"}}},
		"a loop that is over is not": {[][]crash{of("exit 1", "h", 0, 1, 2, 30)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			crashes := map[string]crash{}
			for _, some := range c.crashes {
				for _, one := range some {
					crashes[fmt.Sprint(len(crashes))] = one
				}
			}
			require.Equal(t, c.want, findLoops(crashes, 3, 10*time.Minute))
		})
	}
}

func TestWhatIsACrash(t *testing.T) {
	exited := func(codes ...int64) (containers []client.Container) {
		for _, code := range codes {
			containers = append(containers, client.Container{ExitCode: &code})
		}
		return append(containers, client.Container{ExitCode: aws.Int64(0)})
	}
	for name, c := range map[string]struct {
		task client.TaskEntity
		want bool
	}{
		"it exits with an error":            {client.TaskEntity{StopCode: "EssentialContainerExited", Containers: exited(1)}, true},
		"it never got so far":               {client.TaskEntity{StopCode: "EssentialContainerExited", Containers: []client.Container{{}}}, true},
		"it has done its work":              {client.TaskEntity{StopCode: "EssentialContainerExited", Containers: exited()}, false},
		"it cannot start":                   {client.TaskEntity{StopCode: "TaskFailedToStart", Containers: exited()}, true},
		"its health checks fail":            {client.TaskEntity{StopCode: "ServiceSchedulerInitiated", StoppedReason: "Task failed ELB health checks"}, true},
		"a deployment takes its place":      {client.TaskEntity{StopCode: "ServiceSchedulerInitiated", StoppedReason: "Scaling activity initiated by deployment"}, false},
		"somebody stopped it":               {client.TaskEntity{StopCode: "UserInitiated"}, false},
		"its host's capacity was reclaimed": {client.TaskEntity{StopCode: "SpotInterruption"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := crashOf(c.task)
			require.False(t, ok, "it has not stopped")
			c.task.StoppedAt = &t0
			_, ok = crashOf(c.task)
			require.Equal(t, c.want, ok)
		})
	}
	failed, _ := crashOf(client.TaskEntity{
		StopCode: "TaskFailedToStart", StoppedAt: &t0, ContainerInstanceARN: "host",
		StoppedReason: "CannotPullContainerError: request id 5e1d0c3a-8d44-4a0b-9f55-2f6a1b7c8d9e",
	})
	require.Equal(t, crash{Host: "host", Reason: "CannotPullContainerError: request id …", At: t0}, failed)
}

// desk is Blox's API and EventBridge.
type desk struct {
	stopped  []client.Task
	asked    []client.TaskFilter
	listErr  error
	alerts   []loop
	refusals int
}

func (d *desk) watcher() *watcher {
	return &watcher{3, 10 * time.Minute, d.list, d.put, map[loop]time.Time{}}
}

func (d *desk) list(_ context.Context, filter client.TaskFilter, _ ...client.ListOption) iter.Seq2[client.Task, error] {
	d.asked = append(d.asked, filter)
	return func(yield func(client.Task, error) bool) {
		if d.listErr != nil {
			yield(client.Task{}, d.listErr)
			return
		}
		for _, task := range d.stopped {
			if !task.Entity.StoppedAt.Before(filter.StoppedSince) && !yield(task, nil) {
				return
			}
		}
	}
}

func (d *desk) put(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if d.refusals > 0 {
		d.refusals--
		return &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorMessage: aws.String("sorry")}}}, nil
	}
	var found loop
	d.alerts = append(d.alerts, found)
	return &eventbridge.PutEventsOutput{}, json.Unmarshal([]byte(*in.Entries[0].Detail), &d.alerts[len(d.alerts)-1])
}

// stops is the change by which a task of the service web ends; indexed says that the list shows it already.
func (d *desk) stops(id string, minute int, indexed bool) stream.Change {
	const arn = "arn:aws:ecs:eu-west-1:210987654321:"
	detail := fmt.Sprintf(`{"taskArn":%q,"clusterArn":%q,"containerInstanceArn":%q,"group":"service:web","stopCode":"EssentialContainerExited",
		"stoppedReason":"Essential container in task exited","stoppedAt":%q,"containers":[{"name":"app","exitCode":137}]}`,
		arn+"task/edge/"+id, arn+"cluster/edge", arn+"container-instance/edge/host1", at(minute).Format(time.RFC3339))
	if indexed {
		var task client.Task
		if err := json.Unmarshal([]byte(detail), &task.Entity); err != nil {
			panic(err)
		}
		d.stopped = append(d.stopped, task)
	}
	return stream.Change{
		Kind: stream.KindTask, Cluster: stream.Cluster{Account: "210987654321", Region: "eu-west-1", Name: "edge"}, ARN: arn + "task/edge/" + id,
		Old: &stream.Entity{}, New: &stream.Entity{Detail: json.RawMessage(detail), End: &stream.End{At: at(minute)}},
	}
}

func TestALoopIsToldOnceInItsTime(t *testing.T) {
	d := &desk{}
	w := d.watcher()
	for i, told := range []int{0, 0, 1, 1, 1, 1} { // a crash a minute
		require.NoError(t, w.change(t.Context(), d.stops(fmt.Sprint("task", i), i, true)))
		require.Len(t, d.alerts, told, "after %d crashes", i+1)
	}
	require.Equal(t, loop{
		ClusterARN: "arn:aws:ecs:eu-west-1:210987654321:cluster/edge", Group: "service:web", Reason: "Essential container in task exited",
		Crashes: 3, First: at(0), Last: at(2), Host: "arn:aws:ecs:eu-west-1:210987654321:container-instance/edge/host1",
	}, d.alerts[0])
	require.Equal(t, client.TaskFilter{
		Cluster: "arn:aws:ecs:eu-west-1:210987654321:cluster/edge", Group: "service:web", StoppedSince: at(-8),
	}, d.asked[2], "one list for a crash")

	require.NoError(t, w.change(t.Context(), d.stops("task12", 12, true)))
	require.Len(t, d.alerts, 2, "it still goes on")
}

func TestACrashCountsBeforeTheIndexHasIt(t *testing.T) {
	d := &desk{}
	w := d.watcher()
	d.stops("a", 0, true)
	d.stops("b", 1, true)
	require.NoError(t, w.change(t.Context(), d.stops("c", 2, false)))
	require.Len(t, d.alerts, 1)
}

func TestWhatIsNoCrashCallsNobody(t *testing.T) {
	d := &desk{}
	w := d.watcher()
	host, running, again, wanted := d.stops("a", 0, false), d.stops("b", 0, false), d.stops("c", 0, false), d.stops("d", 0, false)
	host.Kind = stream.KindContainerInstance
	running.New.End = nil
	again.Old.End = &stream.End{} // Describe told the end once more
	wanted.New.Detail = json.RawMessage(`{"stopCode":"UserInitiated","stoppedAt":"2026-11-20T09:00:00Z"}`)
	for _, c := range []stream.Change{host, running, again, wanted} {
		require.NoError(t, w.change(t.Context(), c))
	}
	require.Empty(t, d.asked)
}

// What fails is delivered again by the stream: nothing may count as told before it was.
func TestAnAlertThatFailsComesAgain(t *testing.T) {
	d := &desk{refusals: 1}
	w := d.watcher()
	d.stops("a", 0, true)
	d.stops("b", 1, true)
	c := d.stops("c", 2, true)
	require.EqualError(t, w.change(t.Context(), c), "alert about service:web: sorry")
	require.NoError(t, w.change(t.Context(), c))
	require.Len(t, d.alerts, 1)

	d.listErr = errors.New("away")
	require.EqualError(t, w.change(t.Context(), d.stops("d", 3, true)), "away")
}

// The change as it really comes.
func TestARecordedStopIsACrash(t *testing.T) {
	raw, err := os.ReadFile("../../stream/testdata/batch.json")
	require.NoError(t, err)
	var batch events.DynamoDBEvent
	require.NoError(t, json.Unmarshal(raw, &batch))
	d := &desk{}
	w := d.watcher()
	w.enough = 1
	for _, record := range batch.Records {
		if change, ok, err := stream.Decode(record); ok {
			require.NoError(t, err)
			require.NoError(t, w.change(t.Context(), change))
		}
	}
	require.Len(t, d.alerts, 1)
	require.Equal(t, "service:web", d.alerts[0].Group)
	require.Contains(t, d.alerts[0].Host, ":container-instance/edge/")
}
