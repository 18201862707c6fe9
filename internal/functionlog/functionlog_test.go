package functionlog

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/require"
)

func TestLinesHaveTheRequest(t *testing.T) {
	var out bytes.Buffer
	line := func() (fields map[string]any) {
		require.NoError(t, json.Unmarshal(out.Bytes(), &fields))
		out.Reset()
		return fields
	}
	log := New(&out)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	log.WarnContext(ctx, "stored", "records", 3)
	got := line()
	require.Equal(t, "r-1", got[RequestIDKey])
	require.Equal(t, "stored", got["msg"])
	require.InDelta(t, 3, got["records"], 0)

	log.With("environment", "e").InfoContext(ctx, "woken")
	got = line()
	require.Equal(t, "r-1", got[RequestIDKey])
	require.Equal(t, "e", got["environment"])

	log.InfoContext(t.Context(), "outside of an invocation")
	require.NotContains(t, line(), RequestIDKey)
}
