// Command crashloop is a Lambda function that reads the changes of Blox's state and puts an alert on an event bus when
// the tasks of a group keep on crashing for the same reason. See README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/stream"
)

func main() {
	handler, err := newHandler(context.Background(), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crashloop:", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func newHandler(ctx context.Context, getenv func(string) string) (stream.Handler, error) {
	crashes, noCrashes := strconv.Atoi(getenv("CRASHES"))
	within, noTime := time.ParseDuration(getenv("WITHIN"))
	if errors.Join(noCrashes, noTime) != nil || crashes < 2 || crashes > maxCrashes || within < time.Minute || within > day {
		return nil, fmt.Errorf("CRASHES and WITHIN: allowed are 2 to %d, and 1m to 24h", maxCrashes)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	signer := client.NewSigner(cfg.Credentials, cfg.Region)
	blox, err := client.New(client.Options{Endpoint: getenv("BLOX_ENDPOINT"), Signer: signer})
	if err != nil {
		return nil, fmt.Errorf("BLOX_ENDPOINT: %w", err)
	}
	w := &watcher{crashes, within, blox.ListTasks, eventbridge.NewFromConfig(cfg).PutEvents, map[loop]time.Time{}}
	return stream.Each(slog.New(slog.NewJSONHandler(os.Stdout, nil)), w.change), nil
}

// watcher looks for crash loops in the stream's changes. Lambda forgets, so earlier crashes are not remembered but
// asked for: Blox keeps stopped tasks for days, and has an index by group.
type watcher struct {
	enough int
	within time.Duration
	list   func(context.Context, client.TaskFilter, ...client.ListOption) iter.Seq2[client.Task, error]
	put    func(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (
		*eventbridge.PutEventsOutput, error)
	// told is the last crash that each loop was told with: one that goes on is told once in that time. A function
	// that starts anew tells it once more.
	told map[loop]time.Time
}

// maxCrashes bounds what is counted of a group, and how many loops are remembered.
const maxCrashes, day = 500, 24 * time.Hour

// change handles one change.
func (w *watcher) change(ctx context.Context, c stream.Change) error {
	if c.Kind != stream.KindTask || !c.Ended() {
		return nil
	}
	// The API spells some names of ECS in another case, which is the same to Go's JSON.
	var task client.TaskEntity
	if err := json.Unmarshal(c.New.Detail, &task); err != nil {
		return err
	}
	now, ok := crashOf(task)
	if !ok {
		return nil
	}
	crashes := map[string]crash{c.ARN: now} // the index of groups may not have it yet
	filter := client.TaskFilter{Cluster: c.Cluster.ARN(), Group: task.Group, StoppedSince: now.At.Add(-w.within)}
	for before, err := range w.list(ctx, filter) {
		if err != nil {
			return err
		}
		if crash, ok := crashOf(before.Entity); ok {
			crashes[before.Entity.TaskARN] = crash
		}
		if len(crashes) == maxCrashes {
			break
		}
	}
	for _, found := range findLoops(crashes, w.enough, w.within) {
		found.ClusterARN, found.Group = filter.Cluster, filter.Group
		key := loop{ClusterARN: found.ClusterARN, Group: found.Group, Reason: found.Reason}
		if found.Last.Sub(w.told[key]) < w.within {
			continue
		}
		if err := w.alert(ctx, found); err != nil {
			return err
		}
		if len(w.told) == maxCrashes {
			clear(w.told)
		}
		w.told[key] = found.Last
	}
	return nil
}

// alert puts an event on the default bus, from where a rule brings it to mail, chat or a pager.
func (w *watcher) alert(ctx context.Context, found loop) error {
	detail, err := json.Marshal(found)
	if err != nil {
		return err
	}
	out, err := w.put(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("crashloop"), DetailType: aws.String("Crash Loop"), Detail: aws.String(string(detail)),
	}}})
	if err == nil && out.FailedEntryCount > 0 { // refused in an answer that is a success
		err = fmt.Errorf("alert about %s: %s", found.Group, aws.ToString(out.Entries[0].ErrorMessage))
	}
	return err
}
