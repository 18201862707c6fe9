package proxy

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/blox/blox/test/emulator/internal/policy"
)

// json translates a call of a service that speaks JSON into what IAM is asked. Actions that are not listed here are an
// error: their resources are not known, and guessing would make the check worthless.
func (p Place) json(service, action string, body []byte) ([]policy.Request, error) {
	var requests []policy.Request
	var err error
	switch service {
	case "dynamodb":
		requests, err = p.dynamodb(action, body)
	case "sqs":
		requests, err = p.sqs(action, body)
	case "ecs":
		requests, err = p.ecs(action, body)
	case "events":
		requests, err = p.events(action, body)
	default:
		return nil, fmt.Errorf("the service %s is not known here", service)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%s: %w", service, action, err)
	}
	if len(requests) == 0 {
		return nil, fmt.Errorf("%s:%s: what IAM would be asked for it is not known here", service, action)
	}
	return requests, nil
}

// query does the same for the Query protocol, which STS and CloudFormation speak.
func (p Place) query(service, action string, form url.Values) ([]policy.Request, error) {
	if service == "cloudformation" && action == "DescribeStacks" && form.Get("StackName") == p.StackName {
		return []policy.Request{{Action: "cloudformation:DescribeStacks", Resource: p.StackID}}, nil
	}
	if service == "sts" && action == "AssumeRole" {
		context := map[string][]string{}
		if id := form.Get("ExternalId"); id != "" {
			context["sts:ExternalId"] = []string{id}
		}
		return []policy.Request{{Action: "sts:AssumeRole", Resource: form.Get("RoleArn"), Context: context}}, nil
	}
	return nil, fmt.Errorf("%s:%s: what IAM would be asked for it is not known here", service, action)
}

// rpc does the same for RPC v2, which CloudWatch speaks. Whoever is to see composite alarms must be allowed all alarms.
func rpc(service, action string) ([]policy.Request, error) {
	if service == "monitoring" && action == "DescribeAlarms" {
		return []policy.Request{{Action: "cloudwatch:DescribeAlarms", Resource: "*"}}, nil
	}
	return nil, fmt.Errorf("%s:%s: what IAM would be asked for it is not known here", service, action)
}

func (p Place) arn(service, resource string) string {
	if strings.HasPrefix(resource, "arn:") {
		return resource
	}
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.Partition, service, p.Region, p.Account, resource)
}

// sqsActions: a batch is allowed by the permission for one.
var sqsActions = map[string]string{
	"SendMessage": "SendMessage", "SendMessageBatch": "SendMessage", "ReceiveMessage": "ReceiveMessage",
	"DeleteMessage": "DeleteMessage", "DeleteMessageBatch": "DeleteMessage", "GetQueueAttributes": "GetQueueAttributes",
	"ChangeMessageVisibility": "ChangeMessageVisibility", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}

func (p Place) sqs(action string, body []byte) ([]policy.Request, error) {
	var in struct{ QueueURL, SourceARN, DestinationARN, TaskHandle string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if strings.HasSuffix(action, "MessageMoveTask") || strings.HasSuffix(action, "MessageMoveTasks") {
		return move(action, in.SourceARN, in.DestinationARN, in.TaskHandle)
	}
	permission, known := sqsActions[action]
	queue, err := url.Parse(in.QueueURL)
	if !known || err != nil || in.QueueURL == "" {
		return nil, err
	}
	name := queue.Path[strings.LastIndexByte(queue.Path, '/')+1:]
	return []policy.Request{{Action: "sqs:" + permission, Resource: p.arn("sqs", name)}}, nil
}

// move is what IAM is asked for a move of a whole queue: SQS takes, sends and deletes in the name of whoever starts it.
func move(action, source, destination, handle string) ([]policy.Request, error) {
	switch action {
	case "StartMessageMoveTask":
		requests := []policy.Request{{Action: "sqs:SendMessage", Resource: destination}}
		for _, needed := range []string{"StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
			requests = append(requests, policy.Request{Action: "sqs:" + needed, Resource: source})
		}
		return requests, nil
	case "CancelMessageMoveTask":
		// The handle is opaque to callers; it is JSON in base64, in AWS and here.
		var task struct {
			SourceARN string `json:"sourceArn"`
		}
		text, err := base64.StdEncoding.DecodeString(handle)
		if err == nil {
			err = json.Unmarshal(text, &task)
		}
		if err != nil {
			return nil, fmt.Errorf("the handle %q of a move: %w", handle, err)
		}
		source = task.SourceARN
	}
	return []policy.Request{{Action: "sqs:" + action, Resource: source}}, nil
}

func (p Place) events(action string, body []byte) ([]policy.Request, error) {
	var in struct {
		Entries []struct{ EventBusName, Source, DetailType string }
	}
	if err := json.Unmarshal(body, &in); err != nil || action != "PutEvents" {
		return nil, err
	}
	var requests []policy.Request
	for _, entry := range in.Entries {
		bus := entry.EventBusName
		if bus == "" {
			bus = "default"
		}
		if !strings.HasPrefix(bus, "arn:") {
			bus = "event-bus/" + bus
		}
		requests = append(requests, policy.Request{
			Action: "events:PutEvents", Resource: p.arn("events", bus),
			Context: map[string][]string{"events:source": {entry.Source}, "events:detail-type": {entry.DetailType}},
		})
	}
	return requests, nil
}
