// Package dynamotest gives tests a DynamoDB Local.
package dynamotest

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/uuid"

	"github.com/blox/blox/internal/dynamo/local"
)

// EndpointVariable names the environment variable with the URL of an engine
// that is running already, so that one can serve the tests of all packages. It
// is the AWS SDKs' own.
const EndpointVariable = "AWS_ENDPOINT_URL_DYNAMODB"

var shared struct {
	mu     sync.Mutex
	tried  bool
	server *local.Server
	err    error
}

// ForTest returns a client of DynamoDB Local: the engine that
// AWS_ENDPOINT_URL_DYNAMODB names, else one that all tests of this test binary
// share. The test fails, with a sentence that says what is missing, where none
// can be started. Tables must have names from [TableName], for tests run side
// by side.
//
// A package that uses it ends the engine with [Main]; on Linux it also ends by
// itself with the test binary.
func ForTest(t testing.TB) *dynamodb.Client {
	t.Helper()
	if endpoint := os.Getenv(EndpointVariable); endpoint != "" {
		return local.NewClient(endpoint)
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.tried {
		shared.tried = true
		// Not the test's context: the server outlives the test that needs it
		// first.
		shared.server, shared.err = local.Start(context.Background(), local.Options{})
	}
	if shared.err != nil {
		t.Fatalf("this test needs DynamoDB Local: %v", shared.err)
	}
	return shared.server.Client()
}

// TableName returns a table name that no other test has, beginning with name.
func TableName(t testing.TB, name string) string {
	t.Helper()
	return name + "-" + uuid.NewString()[:13]
}

// Main runs a package's tests and then ends the engine they have started:
//
//	func TestMain(m *testing.M) { os.Exit(dynamotest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server != nil {
		shared.server.Stop()
	}
	return code
}
