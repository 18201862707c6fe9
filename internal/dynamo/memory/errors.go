package memory

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/internal/dynamo/attr"
)

// operationError gives an error the layers it has when it comes from the SDK's
// client, so that code which wrongly compares instead of using errors.As fails
// here too.
func operationError(operation string, err error) error {
	var invalid attr.Invalid
	if errors.As(err, &invalid) {
		err = &smithy.GenericAPIError{Code: "ValidationException", Message: invalid.Error(), Fault: smithy.FaultClient}
	}
	return &smithy.OperationError{ServiceID: dynamodb.ServiceID, OperationName: operation, Err: err}
}

func canceled(err error) error { return &aws.RequestCanceledError{Err: err} }

// missing is what the SDK's client says before it sends a request that lacks a
// required parameter.
func missing(input, parameter string) error {
	err := smithy.InvalidParamsError{Context: input}
	err.Add(smithy.NewErrParamRequired(parameter))
	return err
}

func errNoTable() error {
	return &types.ResourceNotFoundException{Message: aws.String("Requested resource not found")}
}

// conditionFailed is a condition that did not hold. old is the item it was
// evaluated against, nil for none.
type conditionFailed struct{ old *record }

func (conditionFailed) Error() string { return "the condition does not hold" }

// exception turns a failed condition into what the client sees.
func (f conditionFailed) exception(returnOld bool) error {
	out := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
	if returnOld && f.old != nil {
		out.Item = attr.CopyItem(f.old.item)
	}
	return out
}

var nameRule = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

func checkTableName(name *string) error {
	if name == nil || !nameRule.MatchString(*name) {
		return attr.Invalid("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
	}
	return nil
}

// refuseLegacy refuses parameters that expressions have replaced.
func refuseLegacy(given ...bool) error {
	for _, g := range given {
		if g {
			return attr.Invalid("The in-memory engine does not have the legacy parameters (AttributesToGet, AttributeUpdates, ConditionalOperator, Expected, KeyConditions, QueryFilter): use expressions")
		}
	}
	return nil
}

// checkEnum refuses a value that is neither empty nor one of allowed.
func checkEnum[T ~string](parameter string, value T, allowed ...T) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return attr.Invalid(fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: %v", value, parameter, allowed))
}
