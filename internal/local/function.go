package local

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/uuid"
)

// function is one Lambda function.
type function struct {
	name    string
	timeout time.Duration // of one invocation
	// environments are execution environments that are free. Each has a lambda.Handler of its own, for one event at a time:
	// the answer of a handler lies in a buffer that its next invocation writes to.
	environments *sync.Pool
}

// newFunction wraps a handler function as Lambda's runtime does; handler is anything that lambda.Start takes.
func newFunction(name string, timeout time.Duration, handler any) *function {
	return &function{name: name, timeout: timeout, environments: &sync.Pool{
		New: func() any { return lambda.NewHandler(handler) },
	}}
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
	environment := f.environments.Get().(lambda.Handler)
	defer f.environments.Put(environment) // after the answer was read
	out, err := f.call(ctx, environment, payload)
	if err != nil {
		return fmt.Errorf("invoking %s: %w", f.name, err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("invoking %s: decoding its answer: %w", f.name, err)
	}
	return nil
}

func (f *function) call(ctx context.Context, environment lambda.Handler, payload []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return environment.Invoke(ctx, payload)
}
