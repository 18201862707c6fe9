package cost_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/blox"
	"github.com/blox/blox/infra/cdk/internal/cost"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/synthtest"
)

func TestMain(m *testing.M) { synthtest.Main(m, func() error { return nil }) }

// synthesize is the template of an installation, with functions that were not built.
func synthesize(t *testing.T, parameters map[string]any) *cost.Template {
	t.Helper()
	directory := t.TempDir()
	for _, function := range []string{"ingest", "reconcile", "scheduler", "api"} {
		require.NoError(t, os.Mkdir(filepath.Join(directory, function), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(directory, function, "bootstrap"), []byte("not built"), 0o600))
	}
	parameters["functionsDirectory"] = directory
	parameters["openapiPath"] = "../../../../api/openapi.yaml"
	s, err := settings.From(parameters)
	require.NoError(t, err)
	stack, err := blox.NewStack(awscdk.NewApp(nil), s)
	require.NoError(t, err)
	text, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	require.NoError(t, err)
	parsed, err := cost.Parse(strings.NewReader(string(text)))
	require.NoError(t, err)
	return parsed
}

var (
	once     sync.Once
	template *cost.Template
)

// standard is the installation with no parameter set.
func standard(t *testing.T) *cost.Template {
	t.Helper()
	once.Do(func() { template = synthesize(t, map[string]any{}) })
	require.NotNil(t, template)
	return template
}

const docs = "../../../../docs/deploy.md"

func TestDocumentHoldsTheTables(t *testing.T) {
	tables, err := standard(t).Markdown()
	require.NoError(t, err)
	document, err := os.ReadFile(docs)
	require.NoError(t, err)
	want, err := cost.Insert(string(document), tables)
	require.NoError(t, err)
	require.Equal(t, want, string(document),
		"the tables are old: in infra/cdk, after make synth, run go run ./cmd/cost -docs ../../docs/deploy.md")
}

func line(t *testing.T, lines []cost.Line, what string) cost.Line {
	t.Helper()
	for _, l := range lines {
		if l.What == what {
			return l
		}
	}
	require.Fail(t, "there is no line "+what)
	return cost.Line{}
}

func TestIdleMonth(t *testing.T) {
	lines, err := standard(t).Idle()
	require.NoError(t, err)
	// By hand: 657,000 polls = 5 pollers x 3 a minute x 60 x 730; two queues at 0.40 a million and one at 0.50.
	require.InDelta(t, 0.657*(2*0.40+0.50), line(t, lines, "SQS: empty receives").USD, 1e-9)
	require.InDelta(t, (43800+8760)*1e-6, line(t, lines, "EventBridge Scheduler").USD, 1e-9)
	require.InDelta(t, 43800*(0.2e-6+0.5*0.02*0.0000133334), line(t, lines, "Lambda: drive, ticks").USD, 1e-9)
	require.InDelta(t, 23*0.30, line(t, lines, "CloudWatch: custom metrics").USD, 1e-9)
	sum := 0.0
	for _, l := range lines {
		sum += l.USD
	}
	require.InDelta(t, sum, cost.Sum(lines), 1e-9)
	// The custom metrics are a third of it, and those of events and of drift are not reported while nothing happens.
	require.Less(t, sum, 15.5, "an idle installation is to stay cheap: raise this only on purpose")
}

func TestMillionEvents(t *testing.T) {
	lines, err := standard(t).Million()
	require.NoError(t, err)
	byName := map[string]cost.EventLine{}
	var busy float64
	for _, l := range lines {
		byName[l.What] = l
		busy += l.Busy
		require.GreaterOrEqual(t, l.Quiet, l.Busy, "%s: batches never cost more", l.What)
	}
	require.InDelta(t, 3.8*0.625, byName["DynamoDB: records"].Quiet, 1e-9)
	require.InDelta(t, 3*0.40, byName["SQS"].Quiet, 1e-9)
	require.InDelta(t, 1.2*0.40, byName["SQS"].Busy, 1e-9)
	require.InDelta(t, 2*0.625+0.125, byName["DynamoDB: feed"].Quiet, 1e-9)
	require.InDelta(t, 0.1*(2*0.625+0.125), byName["DynamoDB: feed"].Busy, 1e-9, "a row for a batch")
	require.Zero(t, byName["EventBridge: changes put on the installation's bus"].Busy)
	require.Less(t, busy, 4.0, "events are to stay cheap: raise this only on purpose")
}

// What a parameter changes in the template changes in the tables.
func TestParametersShow(t *testing.T) {
	other := synthesize(t, map[string]any{
		"reconcileMinutes": 1, "customerKey": true, "architecture": "x86_64", "tracing": true,
		"members": "210987654321/eu-west-1,210987654321/us-east-1", "externalId": "secret", "forwardChanges": true,
	})
	events, err := other.Million()
	require.NoError(t, err)
	require.Equal(t, "EventBridge: changes put on the installation's bus", events[1].What)
	require.InDelta(t, 1.00, events[1].Quiet, 1e-9)
	lines, err := other.Idle()
	require.NoError(t, err)
	require.InDelta(t, 1.00, line(t, lines, "KMS: customer key").USD, 1e-9)
	sweeps := 43800.0
	require.InDelta(t, sweeps*3*3*0.5e-6, line(t, lines, "SQS: requests to reconcile").USD, 1e-9, "three places")
	require.InDelta(t, sweeps*4*(0.2e-6+0.5*0.02*0.0000166667), line(t, lines, "Lambda: reconcile").USD, 1e-9)
	require.InDelta(t, (43800+sweeps*4)*5e-6, line(t, lines, "X-Ray").USD, 1e-9)

	lines, err = standard(t).Idle()
	require.NoError(t, err)
	require.Zero(t, line(t, lines, "X-Ray").USD)
	require.Equal(t, "off (parameter tracing)", line(t, lines, "X-Ray").How)
}

func TestGrowth(t *testing.T) {
	lines, err := standard(t).Growth()
	require.NoError(t, err)
	require.InDelta(t, 730*3600*(0.25*0.0000133334+0.53*0.125e-6), line(t, lines, "a watcher that is always connected").USD, 1e-9)
	// 730 hours are 131,400 polls of 20 seconds.
	require.InDelta(t, 730*3600*(0.25*0.0000133334+0.58*0.125e-6)+131_400*(0.2e-6+3.5e-6+1500*0.5e-9),
		line(t, lines, "a poller that always waits").USD, 1e-9)
	require.InDelta(t, 0.30, line(t, lines, "a cluster with daemons: its metric").USD, 1e-9)
	require.InDelta(t, 8760*(1030*0.125e-6+0.5*2*0.0000133334), line(t, lines, "1,000 living tasks and instances: reconcile").USD, 1e-9)
	require.InDelta(t, 8760*(3*0.5e-6+0.2e-6+0.5*0.3*0.0000133334+14*0.125e-6+2*0.625e-6+800*0.5e-9),
		line(t, lines, "a cluster: reconcile").USD, 1e-9)
}

func TestTemplatesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":   "reading the template: EOF",
		"{}": "reading the template: it has no Resources: a file such as cdk.out/Blox-blox.template.json is wanted",
		`{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}`:                            "the template has no function drive: is it that of an installation?",
		`{"Resources": {"FunctionsDrive12345678": {"Type": "AWS::Lambda::Function"}}}`: "function drive has no MemorySize",
	} {
		parsed, err := cost.Parse(strings.NewReader(text))
		if err == nil {
			_, err = parsed.Markdown()
		}
		require.EqualError(t, err, want)
	}
}

func TestInsertReplacesTheTables(t *testing.T) {
	const document = "a\n<!-- costs: written by `go run ./cmd/cost` in infra/cdk -->\nold\n<!-- costs: end -->\nb\n"
	once, err := cost.Insert(document, "new\n")
	require.NoError(t, err)
	require.Equal(t, "a\n<!-- costs: written by `go run ./cmd/cost` in infra/cdk -->\n\nnew\n\n<!-- costs: end -->\nb\n", once)
	again, err := cost.Insert(once, "new\n")
	require.NoError(t, err)
	require.Equal(t, once, again)
	_, err = cost.Insert("no place", "new\n")
	require.ErrorContains(t, err, "the document has no place for the tables")
}
