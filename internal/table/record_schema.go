package table

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ErrSchema says that an item was written by a newer Blox than this program is of. Its message says what to do.
var ErrSchema = errors.New("unknown schema version")

// schemaAttribute is the one attribute that has the same name and meaning in every schema.
const schemaAttribute = "schema"

// checkSchema refuses a record that a newer Blox has written: read by the rules of this one it would be misunderstood.
// Only records have a schema; other items pass.
func checkSchema(item Item) error {
	value, ok := item[schemaAttribute].(*types.AttributeValueMemberN)
	if !ok {
		return nil
	}
	if version, err := strconv.Atoi(value.Value); err != nil || version < 1 || version > SchemaVersion {
		return fmt.Errorf("%w %s: this program reads 1 to %d, deploy or build it with a newer version of "+
			"module github.com/blox/blox", ErrSchema, value.Value, SchemaVersion)
	}
	return nil
}
