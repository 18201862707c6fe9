package httpapi

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/watch"
)

// form is how the lines of a stream are written.
type form struct {
	contentType string
	// write appends one line; position may be empty.
	write func(out *bytes.Buffer, kind watch.Type, position string, event any) error
}

var (
	ndjson = form{"application/x-ndjson", func(out *bytes.Buffer, _ watch.Type, _ string, event any) error {
		text, err := encodeRaw(event)
		out.Write(text)
		out.WriteByte('\n')
		return err
	}}
	// An event without an id keeps the last one, so that a reader who connects again during a snapshot gets another.
	serverSentEvents = form{"text/event-stream", func(out *bytes.Buffer, kind watch.Type, position string, event any) error {
		text, err := encodeRaw(event)
		fmt.Fprintf(out, "event: %s\n", kind)
		if position != "" {
			fmt.Fprintf(out, "id: %s\n", position)
		}
		fmt.Fprintf(out, "data: %s\n\n", text)
		return err
	}}
)

// formOf picks the form that an Accept header likes better. What it says of other types does not matter: JSON lines can
// be read by everyone.
func formOf(accept string) form {
	best, chosen := 0.0, ndjson
	for entry := range strings.SplitSeq(accept, ",") {
		kind, parameters, err := mime.ParseMediaType(strings.TrimSpace(entry))
		if err != nil {
			continue
		}
		quality := 1.0
		if q, ok := parameters["q"]; ok {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		for _, f := range []form{ndjson, serverSentEvents} {
			if kind == f.contentType && quality > best {
				best, chosen = quality, f
			}
		}
	}
	return chosen
}

// eventOf is the document that a line shows.
func eventOf(line watch.Line) (any, error) {
	switch line.Key.Kind {
	case state.KindTask:
		return taskEvent(line)
	case state.KindContainerInstance:
		return instanceEvent(line)
	default:
		return commonEvent(line), nil
	}
}

func commonEvent(line watch.Line) client.WatchEvent {
	event := client.WatchEvent{Type: client.WatchEventType(line.Type), EntityVersion: line.Position}
	if line.Key != (state.Key{}) {
		event.ClusterARN, event.ID = line.Key.Cluster.ARN(""), line.Key.ID
	}
	return event
}

func taskEvent(line watch.Line) (client.TaskWatchEvent, error) {
	event := client.TaskWatchEvent{WatchEvent: commonEvent(line)}
	if line.Record == nil {
		return event, nil
	}
	task, err := taskOf(*line.Record, line.Includes)
	event.Task = &task
	return event, err
}

func instanceEvent(line watch.Line) (client.InstanceWatchEvent, error) {
	event := client.InstanceWatchEvent{WatchEvent: commonEvent(line)}
	if line.Record == nil {
		return event, nil
	}
	instance, err := instanceOf(*line.Record, line.Includes)
	event.Instance = &instance
	return event, err
}

// errorEvent is the last line of a stream that failed. Every one is a problem by then.
func errorEvent(err error) client.WatchEvent {
	problem := &client.WatchProblem{Status: http.StatusInternalServerError, Detail: serverFault}
	var model *huma.ErrorModel
	if errors.As(err, &model) {
		problem.Status, problem.Detail = model.Status, model.Detail
	}
	problem.Title = cmp.Or(http.StatusText(problem.Status), "Error")
	return client.WatchEvent{Type: client.WatchError, Error: problem}
}
