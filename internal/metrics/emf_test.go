package metrics

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var at = time.Date(2026, 11, 20, 9, 0, 0, 500_000_000, time.UTC)

func TestALineOfTheEmbeddedMetricFormat(t *testing.T) {
	// As Lambda sets them: neither may become a dimension.
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "drive")
	t.Setenv("_X_AMZN_TRACE_ID", "")
	var out bytes.Buffer
	NewEMF(&out, "main", func() time.Time { return at }).Put(
		[]Value{{EventLagMillis, 1500}, {EventsSetAside, 2}}, Property{"environment", `log"agent`}, Property{"region", "eu-west-1"},
	)
	require.Equal(t, 1, strings.Count(out.String(), "\n"), "CloudWatch Logs takes lines")
	require.JSONEq(t, `{"EventLagMillis":1500,"EventsSetAside":2,"Installation":"main","_aws":{"Timestamp":1795165200500,`+
		`"CloudWatchMetrics":[{"Namespace":"Blox","Dimensions":[["Installation"]],`+
		`"Metrics":[{"Name":"EventLagMillis","Unit":"Milliseconds"},{"Name":"EventsSetAside","Unit":"Count"}]}]},`+
		`"environment":"log\"agent","region":"eu-west-1"}`, out.String())
}

func TestAMetricOfAClusterHasItAsADimension(t *testing.T) {
	var out bytes.Buffer
	NewEMF(&out, "main", func() time.Time { return at }).Put(
		[]Value{{HostsWithOnlyDaemons, 3}}, Property{DimensionCluster, "1/eu-west-1/edge"}, Property{"region", "eu-west-1"},
	)
	require.JSONEq(t, `{"HostsWithOnlyDaemons":3,"Installation":"main","Cluster":"1/eu-west-1/edge","_aws":{"Timestamp":1795165200500,`+
		`"CloudWatchMetrics":[{"Namespace":"Blox","Dimensions":[["Installation","Cluster"]],`+
		`"Metrics":[{"Name":"HostsWithOnlyDaemons","Unit":"Count"}]}]},"region":"eu-west-1"}`, out.String())
}

func TestNothingToSayIsNoLine(t *testing.T) {
	var out bytes.Buffer
	NewEMF(&out, "main", time.Now).Put(nil, Property{"environment", "x"})
	require.Empty(t, out.String())
}

// byteWriter hands on every byte alone, as a slow writer may, so that lines that are not kept apart mix.
type byteWriter struct{ out bytes.Buffer }

func (w *byteWriter) Write(line []byte) (int, error) {
	for _, b := range line {
		w.out.WriteByte(b)
	}
	return len(line), nil
}

func TestLinesOfManyAreNotMixed(t *testing.T) {
	var out byteWriter
	sink := NewEMF(&out, "main", func() time.Time { return at })
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() { sink.Put([]Value{{DriftRepaired, int64(i)}}) })
	}
	all.Wait()
	lines := strings.Split(strings.TrimSuffix(out.out.String(), "\n"), "\n")
	require.Len(t, lines, 50)
	for i := range 50 {
		require.Equal(t, 1, strings.Count(out.out.String(), fmt.Sprintf(`{"DriftRepaired":%d,`, i)))
	}
}

func TestMemoryKeepsWhatItIsGiven(t *testing.T) {
	var m Memory
	values := []Value{{HeldAbsent, 1}, {DriftRepaired, 2}}
	m.Put(values, Property{"region", "eu-west-1"})
	values[0].Value = 7
	m.Put([]Value{{HeldAbsent, 3}})
	require.Equal(t, []int64{1, 3}, m.Of(HeldAbsent))
	require.Equal(t, []Property{{"region", "eu-west-1"}}, m.Lines()[0].Properties)
}
