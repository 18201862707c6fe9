package local

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/uuid"
)

// function is one Lambda function.
type function struct {
	name    string
	timeout time.Duration // of one invocation
	handler lambda.Handler
}

// newFunction wraps a handler function as Lambda's runtime does; handler is anything that lambda.Start takes.
func newFunction(name string, timeout time.Duration, handler any) *function {
	return &function{name: name, timeout: timeout, handler: lambda.NewHandler(handler)}
}

// invoke calls the function with the event as JSON and decodes its answer, null included, into answer. A panic is an
// error, as it is to whoever invokes a Lambda function.
func (f *function) invoke(ctx context.Context, event, answer any) (err error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("invoking %s: encoding the event: %w", f.name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		AwsRequestID:       uuid.NewString(),
		InvokedFunctionArn: "arn:aws:lambda:" + region + ":" + account + ":function:" + f.name,
	})
	out, err := f.call(ctx, payload)
	if err != nil {
		return fmt.Errorf("invoking %s: %w", f.name, err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("invoking %s: decoding its answer: %w", f.name, err)
	}
	return nil
}

func (f *function) call(ctx context.Context, payload []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f.handler.Invoke(ctx, payload)
}
