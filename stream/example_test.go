package stream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/stream"
)

// recorded is a batch of a stream, as Lambda delivers it.
func recorded() events.DynamoDBEvent {
	raw, err := os.ReadFile("testdata/batch.json")
	if err != nil {
		panic(err)
	}
	var batch events.DynamoDBEvent
	if err := json.Unmarshal(raw, &batch); err != nil {
		panic(err)
	}
	return batch
}

// A Lambda function that says which tasks stopped, and why. In a function's main, the handler is given to lambda.Start.
func ExampleEach() {
	handler := stream.Each(slog.Default(), func(_ context.Context, change stream.Change) error {
		if change.Kind == stream.KindTask && change.Ended() {
			task := change.New.Task
			fmt.Printf("%s of %s stopped: %s\n", change.ID, task.Group, task.StoppedReason)
		}
		return nil
	})
	response, err := handler(context.Background(), recorded())
	fmt.Println(len(response.BatchItemFailures), err)
	// Output:
	// a of service:web stopped: CannotPullContainerError: no such image
	// 0 <nil>
}

// A function that calls somebody else once for each batch, and not once for each change.
func ExampleBatches() {
	handler := stream.Batches(slog.Default(), func(_ context.Context, changes []stream.Change) error {
		var told []string
		for _, change := range changes {
			told = append(told, fmt.Sprintf("%s %s %s", change.Kind, change.ID, change.Reason))
		}
		fmt.Println(strings.Join(told, ", "))
		return nil
	})
	if _, err := handler(context.Background(), recorded()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// task a written, instance host1 written, task a stopped
}

// A program that reads records itself. An error for which errors.Is(err, ErrSchema) is true asks for a newer version of
// this module.
func ExampleDecode() {
	for _, record := range recorded().Records {
		change, ok, err := stream.Decode(record)
		switch {
		case err != nil:
			fmt.Println(err)
		case !ok:
			fmt.Println("neither a task nor a container instance")
		case change.Kind == stream.KindTask:
			fmt.Println(change.ARN, change.New.Version, change.New.Task.LastStatus)
		case change.Kind == stream.KindContainerInstance:
			fmt.Println(change.ARN, change.New.Version, change.New.Instance.Status)
		}
	}
	// Output:
	// arn:aws:ecs:eu-west-1:210987654321:task/edge/a 1 RUNNING
	// neither a task nor a container instance
	// arn:aws:ecs:eu-west-1:210987654321:container-instance/edge/host1 1 ACTIVE
	// arn:aws:ecs:eu-west-1:210987654321:task/edge/a 2 STOPPED
}
