package reconcile

import (
	"os"
	"testing"

	"github.com/blox/blox/internal/dynamo/dynamotest"
)

func TestMain(m *testing.M) { os.Exit(dynamotest.Main(m)) }
