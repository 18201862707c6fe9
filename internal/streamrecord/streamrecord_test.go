package streamrecord_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/streamrecord"
)

func TestEveryKindOfAttributeSurvives(t *testing.T) {
	image := map[string]types.AttributeValue{
		"s": &types.AttributeValueMemberS{Value: "x"}, "n": &types.AttributeValueMemberN{Value: "1.50"},
		"b": &types.AttributeValueMemberB{Value: []byte{1}}, "t": &types.AttributeValueMemberBOOL{Value: true},
		"ss": &types.AttributeValueMemberSS{Value: []string{"x"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"1"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{{1}}}, "null": &types.AttributeValueMemberNULL{Value: true},
		"m": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "y"}}}}},
	}
	at := time.Unix(1772366400, 0)
	got := streamrecord.Lambda("arn:stream", "eu-west-1", types.Record{
		EventID: aws.String("1"), EventName: types.OperationTypeRemove, EventVersion: aws.String("1.1"),
		UserIdentity: &types.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")},
		Dynamodb: &types.StreamRecord{
			OldImage: image, SequenceNumber: aws.String("7"), SizeBytes: aws.Int64(9), StreamViewType: types.StreamViewTypeNewAndOldImages,
			ApproximateCreationDateTime: &at,
		},
	})
	require.Equal(t, events.DynamoDBEventRecord{
		AWSRegion: "eu-west-1", EventID: "1", EventName: "REMOVE", EventVersion: "1.1", EventSource: "aws:dynamodb", EventSourceArn: "arn:stream",
		UserIdentity: &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"},
		Change: events.DynamoDBStreamRecord{
			SequenceNumber: "7", SizeBytes: 9, StreamViewType: "NEW_AND_OLD_IMAGES", ApproximateCreationDateTime: events.SecondsEpochTime{Time: at},
			OldImage: map[string]events.DynamoDBAttributeValue{
				"s": events.NewStringAttribute("x"), "n": events.NewNumberAttribute("1.50"), "b": events.NewBinaryAttribute([]byte{1}),
				"t": events.NewBooleanAttribute(true), "ss": events.NewStringSetAttribute([]string{"x"}), "ns": events.NewNumberSetAttribute([]string{"1"}),
				"bs": events.NewBinarySetAttribute([][]byte{{1}}), "null": events.NewNullAttribute(),
				"m": events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"l": events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewStringAttribute("y")})}),
			},
		},
	}, got)
}
