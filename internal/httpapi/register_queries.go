package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// What lists say of themselves. The indexes are internal/table's.
const (
	listDescription = "Filters are combined with AND; one that is empty counts as not given. A cluster that Blox does not " +
		"know has an empty list, also one given by its name, as in Blox v0.3.0. examined says how many records were " +
		"looked at for the page. "
	pagesDescription = "A page ends early when it has looked at very many records, or has become large: it may have few items, or none, " +
		"and still a nextToken. Without sort nothing is missed that is there all the time while pages are read; what moves on in its life " +
		"meanwhile may come twice, and then the later one, of the higher metadata.version, is right."
	listTasksDescription = listDescription + "Looked at is no more than these leave: containerInstance together with desiredStatus=RUNNING " +
		"or with a status before STOPPED; startedBy; group or service, together with status or desiredStatus where given; status or " +
		"desiredStatus, as starting, running, stopping or stopped; cluster. Every other filter is looked for among those. sort=createdAt and " +
		"sort=stoppedAt, together with a status, cost no more than the page; other orders read all that the filters leave, and are refused " +
		"where that is too much. " + pagesDescription
	listInstancesDescription = listDescription + "Looked at is no more than these leave: ec2InstanceId; status; cluster. Every other filter is " +
		"looked for among those. " + pagesDescription
)

func (s *server) registerQueries(api huma.API) {
	tags := []string{"cluster state"}
	handle(s, api, huma.Operation{
		OperationID: "listTasks", Method: http.MethodGet, Path: "/v1/tasks", Tags: tags,
		Summary: "List tasks", Description: listTasksDescription, Errors: []int{http.StatusBadRequest},
	}, s.listTasks)
	handle(s, api, huma.Operation{
		OperationID: "getTask", Method: http.MethodGet, Path: "/v1/tasks/{cluster}/{arn" + restOfPath, Tags: tags,
		Summary: "Get a task", Description: "{arn} takes the rest of the path: a task id, or an ARN with its slashes.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.getTask)
	handle(s, api, huma.Operation{
		OperationID: "listInstances", Method: http.MethodGet, Path: "/v1/instances", Tags: tags,
		Summary: "List container instances", Description: listInstancesDescription, Errors: []int{http.StatusBadRequest},
	}, s.listInstances)
	handle(s, api, huma.Operation{
		OperationID: "getInstance", Method: http.MethodGet, Path: "/v1/instances/{cluster}/{arn" + restOfPath, Tags: tags,
		Summary: "Get a container instance", Description: "{arn} takes the rest of the path: a container instance id, or an ARN with its slashes.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.getInstance)
}
