package local

import (
	"encoding/json"
	"slices"

	"github.com/blox/blox/internal/queue"
)

// detailTypes are the events that the deployed EventBridge rule forwards.
var detailTypes = []string{
	"ECS Task State Change",
	"ECS Container Instance State Change",
	"ECS Container Instance Health Change",
}

// matches is the EventBridge rule: events of source aws.ecs with one of the detail-types. What is no event matches
// nothing.
func matches(event []byte) bool {
	var envelope struct {
		Source     string `json:"source"`
		DetailType string `json:"detail-type"`
	}
	if json.Unmarshal(event, &envelope) != nil {
		return false
	}
	return envelope.Source == "aws.ecs" && slices.Contains(detailTypes, envelope.DetailType)
}

// forwarded are the events as messages, the envelope being the body, as EventBridge's SQS target does it.
func forwarded(events [][]byte) []queue.Message {
	var messages []queue.Message
	for _, event := range events {
		if matches(event) {
			messages = append(messages, queue.Message{Body: string(event)})
		}
	}
	return messages
}
