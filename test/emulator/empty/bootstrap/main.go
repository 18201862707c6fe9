// Command bootstrap is a Lambda function that does nothing: how long it takes to start is what Go and Lambda's runtime
// client cost, and the rest of a function's start is its own.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, json.RawMessage) (struct{}, error) { return struct{}{}, nil })
}
