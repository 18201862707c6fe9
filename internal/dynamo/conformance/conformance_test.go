package conformance_test

import (
	"os"
	"testing"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/conformance"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	"github.com/blox/blox/internal/dynamo/memory"
)

func TestMain(m *testing.M) { os.Exit(dynamotest.Main(m)) }

func TestMemory(t *testing.T) {
	conformance.Run(t, func(*testing.T) dynamo.API { return memory.New() })
}

func TestDynamoDBLocal(t *testing.T) {
	conformance.Run(t, func(t *testing.T) dynamo.API { return dynamotest.ForTest(t) })
}
