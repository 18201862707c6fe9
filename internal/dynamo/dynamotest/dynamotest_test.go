package dynamotest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// failed is a test that records how it failed.
type failed struct {
	testing.TB
	message string
}

func (f *failed) Helper() {}
func (f *failed) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	panic(f)
}

func TestTableNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		name := TableName(t, "state")
		require.True(t, strings.HasPrefix(name, "state-"))
		require.Less(t, len(name), 40)
		require.False(t, seen[name])
		seen[name] = true
	}
}

func TestForTestUsesTheEngineThatIsNamed(t *testing.T) {
	t.Setenv(EndpointVariable, "http://127.0.0.1:1")
	client := ForTest(t)
	require.Equal(t, "http://127.0.0.1:1", aws.ToString(client.Options().BaseEndpoint))
}

func TestForTestSharesOneEngine(t *testing.T) {
	first, second := ForTest(t), ForTest(t)
	require.Equal(t, first.Options().BaseEndpoint, second.Options().BaseEndpoint)
	_, err := first.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	require.NoError(t, err)
}

// TestForTestFails: without Java a test fails and says why, it is not skipped.
func TestForTestFails(t *testing.T) {
	// Keep what the other tests share.
	tried, server, err := shared.tried, shared.server, shared.err
	defer func() { shared.tried, shared.server, shared.err = tried, server, err }()
	shared.tried, shared.server, shared.err = false, nil, nil
	t.Setenv(EndpointVariable, "")
	t.Setenv("PATH", t.TempDir())
	for range 2 {
		f := &failed{TB: t}
		require.PanicsWithValue(t, f, func() { ForTest(f) })
		require.Contains(t, f.message, "this test needs DynamoDB Local: ")
		require.Contains(t, f.message, "install one, version 17 or newer")
		t.Setenv("PATH", "/usr/bin:/bin") // it is not tried again
	}
}
