package sqssim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// TargetPrefix begins the header X-Amz-Target of every call of SQS; the rest is the operation.
const TargetPrefix = "AmazonSQS."

// maxRequestBytes is more than a batch of 1 MiB has once its text is escaped in JSON.
const maxRequestBytes = 8 << 20

// ServeHTTP speaks SQS's JSON protocol. It takes any credentials. The SDK's types have the names of the protocol, so
// encoding/json reads and writes them as they are.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), TargetPrefix)
	call, ok := map[string]func(context.Context, *json.Decoder) (any, error){
		"GetQueueAttributes":           serve(s.GetQueueAttributes),
		"ReceiveMessage":               serve(s.ReceiveMessage),
		"SendMessage":                  serve(s.SendMessage),
		"SendMessageBatch":             serve(s.SendMessageBatch),
		"DeleteMessageBatch":           serve(s.DeleteMessageBatch),
		"ChangeMessageVisibilityBatch": serve(s.ChangeMessageVisibilityBatch),
		"StartMessageMoveTask":         serve(s.StartMessageMoveTask),
		"ListMessageMoveTasks":         serve(s.ListMessageMoveTasks),
		"CancelMessageMoveTask":        serve(s.CancelMessageMoveTask),
	}[operation]
	var answer any
	err := error(
		&smithy.GenericAPIError{Code: "UnsupportedOperation", Message: "the operation " + operation + " is not simulated"},
	)
	if ok {
		answer, err = call(r.Context(), json.NewDecoder(io.LimitReader(r.Body, maxRequestBytes)))
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = problem(err)
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that has gone needs no answer
}

// serve makes a call of the protocol of a Go method.
func serve[In, Out any](
	method func(context.Context, *In, ...func(*sqs.Options)) (*Out, error),
) func(context.Context, *json.Decoder) (any, error) {
	return func(ctx context.Context, body *json.Decoder) (any, error) {
		in := new(In)
		if err := body.Decode(in); err != nil {
			return nil, &smithy.GenericAPIError{Code: "SerializationException", Message: err.Error()}
		}
		return method(ctx, in)
	}
}

func problem(err error) map[string]string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return map[string]string{"__type": "com.amazonaws.sqs#InternalFailure", "message": err.Error()}
	}
	return map[string]string{"__type": "com.amazonaws.sqs#" + api.ErrorCode(), "message": api.ErrorMessage()}
}
