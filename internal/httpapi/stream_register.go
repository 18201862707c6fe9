package httpapi

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
)

const streamDescription = "Tells what there is and then every change: first a snapshot, unless entityVersion says where to go on, then a " +
	"BOOKMARK, then UPDATED and DELETED as they happen. What leaves the filter is told as DELETED, and so may be what never was " +
	"in it. A change may be told twice, versions in between may be left out, and the last one never is. Lines that are not " +
	"known are to be skipped. Filters are as in the list. What has ended is shown until metadata.visibleUntil, and no line tells of " +
	"that moment: who keeps a copy drops it then."

func (s *server) registerStreams(api huma.API) {
	handle(s, api, streamOperation(api, "streamTasks", "/v1/stream/tasks", "Watch tasks", reflect.TypeFor[client.TaskWatchEvent]()), s.streamTasks)
	handle(s, api, streamOperation(api, "streamInstances", "/v1/stream/instances", "Watch container instances",
		reflect.TypeFor[client.InstanceWatchEvent]()), s.streamInstances)
}

const pollDescription = "For readers that cannot stream: an answer comes as soon as there is something to tell, or without items after wait " +
	"seconds. Its items are those of a stream: without entityVersion first a snapshot, in as many answers as it needs, from SNAPSHOT " +
	"to BOOKMARK; with it UPDATED and DELETED. Ask again at once: with the nextToken of the answer and the same filters if it has " +
	"one, else with its entityVersion."

// registerPolls registers what goes without streams, in the ordinary function: API Gateway picks the function by path, and
// not by query.
func (s *server) registerPolls(api huma.API) {
	handle(s, api, pollOperation("pollTasks", "/v1/poll/tasks", "Wait for changes of tasks"), s.pollTasks)
	handle(s, api, pollOperation("pollInstances", "/v1/poll/instances", "Wait for changes of container instances"), s.pollInstances)
}

func pollOperation(id, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"watch"}, Summary: summary, Description: pollDescription,
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone},
	}
}

func streamOperation(api huma.API, id, path, summary string, line reflect.Type) huma.Operation {
	schema := api.OpenAPI().Components.Schemas.Schema(line, true, line.Name())
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"watch"}, Summary: summary, Description: streamDescription,
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusMisdirectedRequest, http.StatusTooManyRequests},
		Responses: map[string]*huma.Response{"200": {
			Description: "A stream: each line is a document of this schema.",
			Content: map[string]*huma.MediaType{
				ndjson.contentType: {Schema: schema},
				serverSentEvents.contentType: {Schema: &huma.Schema{
					Type:        huma.TypeString,
					Description: "The same documents as server-sent events: event is the type, id the entityVersion, data the document.",
				}},
			},
		}},
	}
}
