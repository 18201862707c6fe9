package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

// What tasks and container instances have in common.

// attachmentENI is an elastic network interface by the API's name; events call
// the same thing "eni", and what is stored has the event's shape.
const (
	attachmentENI      = "ElasticNetworkInterface"
	attachmentENIEvent = "eni"
)

func attachment(a types.Attachment) state.Attachment {
	out := state.Attachment{
		ID: aws.ToString(a.Id), Type: aws.ToString(a.Type), Status: aws.ToString(a.Status),
		Details: each(a.Details, keyValuePair),
	}
	if out.Type == attachmentENI {
		out.Type = attachmentENIEvent
	}
	return out
}

func attribute(a types.Attribute) state.Attribute {
	return state.Attribute{
		Name: aws.ToString(a.Name), Value: aws.ToString(a.Value),
		TargetType: string(a.TargetType), TargetID: aws.ToString(a.TargetId),
	}
}

func keyValuePair(p types.KeyValuePair) state.KeyValuePair {
	return state.KeyValuePair{Name: aws.ToString(p.Name), Value: aws.ToString(p.Value)}
}

func tag(t types.Tag) state.Tag {
	return state.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)}
}

func widen(n *int32) *int64 {
	if n == nil {
		return nil
	}
	return aws.Int64(int64(*n))
}

// each translates a list. No list stays no list, and an empty one empty: they
// say different things.
func each[S, T any](in []S, translate func(S) T) []T {
	if in == nil {
		return nil
	}
	out := make([]T, len(in))
	for i, element := range in {
		out[i] = translate(element)
	}
	return out
}
