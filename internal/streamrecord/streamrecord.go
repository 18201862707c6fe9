// Package streamrecord turns records of DynamoDB Streams into those that Lambda's event source mapping makes of them. The
// two have the same content in two shapes, and the libraries convert neither way.
package streamrecord

import (
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Lambda is a change record of a stream as Lambda's event source mapping hands it to a function.
func Lambda(streamARN, region string, record types.Record) events.DynamoDBEventRecord {
	r := events.DynamoDBEventRecord{
		AWSRegion: region, EventID: aws.ToString(record.EventID), EventName: string(record.EventName),
		EventSource: "aws:dynamodb", EventVersion: aws.ToString(record.EventVersion), EventSourceArn: streamARN,
	}
	if record.UserIdentity != nil {
		r.UserIdentity = &events.DynamoDBUserIdentity{
			Type: aws.ToString(record.UserIdentity.Type), PrincipalID: aws.ToString(record.UserIdentity.PrincipalId),
		}
	}
	if d := record.Dynamodb; d != nil {
		r.Change = events.DynamoDBStreamRecord{
			Keys: attributes(d.Keys), NewImage: attributes(d.NewImage), OldImage: attributes(d.OldImage),
			SequenceNumber: aws.ToString(d.SequenceNumber), SizeBytes: aws.ToInt64(d.SizeBytes), StreamViewType: string(d.StreamViewType),
		}
		if d.ApproximateCreationDateTime != nil {
			r.Change.ApproximateCreationDateTime = events.SecondsEpochTime{Time: *d.ApproximateCreationDateTime}
		}
	}
	return r
}

func attributes(values map[string]types.AttributeValue) map[string]events.DynamoDBAttributeValue {
	if values == nil {
		return nil // REMOVE has no new image, INSERT no old one
	}
	converted := make(map[string]events.DynamoDBAttributeValue, len(values))
	for name, value := range values {
		converted[name] = attribute(value)
	}
	return converted
}

func attribute(value types.AttributeValue) events.DynamoDBAttributeValue {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value)
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(v.Value)
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value)
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(v.Value)
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(v.Value)
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(v.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(attributes(v.Value))
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(v.Value))
		for i, element := range v.Value {
			list[i] = attribute(element)
		}
		return events.NewListAttribute(list)
	default:
		return events.NewNullAttribute()
	}
}
