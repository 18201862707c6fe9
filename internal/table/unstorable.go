package table

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Unstorable says whether an error of a write means that DynamoDB will refuse this item for good: items end at 400 KB,
// keys of indexes at 2 KB, and a partition of a table with local indexes at 10 GB. The last passes when something else in
// the partition is deleted, but not for as long as anybody may wait with the item in hand. Every other error may pass, even
// another ValidationException does when a faulty deployment is repaired.
func Unstorable(err error) bool {
	var full *types.ItemCollectionSizeLimitExceededException
	if errors.As(err, &full) {
		return true
	}
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationException" &&
		strings.Contains(strings.ToLower(api.ErrorMessage()), "size")
}
