package sim

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// decode reads an item as package table writes it: by json names.
func decode(i item, v any) {
	err := attributevalue.UnmarshalMapWithOptions(i, v, func(o *attributevalue.DecoderOptions) {
		o.TagKey = "json"
		o.UseEncodingUnmarshalers = true
	})
	if err != nil {
		panic(fmt.Sprintf("sim: item %s: %v", keyOf(i), err))
	}
}
