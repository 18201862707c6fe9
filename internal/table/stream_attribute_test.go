package table

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

func TestAttributesOfEveryType(t *testing.T) {
	cases := map[string]struct {
		lambda events.DynamoDBAttributeValue
		sdk    types.AttributeValue
	}{
		"string":  {events.NewStringAttribute("a"), &types.AttributeValueMemberS{Value: "a"}},
		"number":  {events.NewNumberAttribute("1.50"), &types.AttributeValueMemberN{Value: "1.50"}},
		"binary":  {events.NewBinaryAttribute([]byte{0, 255}), &types.AttributeValueMemberB{Value: []byte{0, 255}}},
		"boolean": {events.NewBooleanAttribute(true), &types.AttributeValueMemberBOOL{Value: true}},
		"null":    {events.NewNullAttribute(), &types.AttributeValueMemberNULL{Value: true}},
		"strings": {events.NewStringSetAttribute([]string{"a"}), &types.AttributeValueMemberSS{Value: []string{"a"}}},
		"numbers": {events.NewNumberSetAttribute([]string{"1"}), &types.AttributeValueMemberNS{Value: []string{"1"}}},
		"binaries": {
			events.NewBinarySetAttribute([][]byte{{1}}), &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
		},
		"list of maps": {
			events.NewListAttribute([]events.DynamoDBAttributeValue{
				events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"a": events.NewNumberAttribute("1")}),
			}),
			&types.AttributeValueMemberL{Value: []types.AttributeValue{
				&types.AttributeValueMemberM{Value: Item{"a": &types.AttributeValueMemberN{Value: "1"}}},
			}},
		},
	}
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			got, err := attribute(c.lambda)
			require.NoError(t, err)
			require.Equal(t, c.sdk, got)
		})
	}
}
