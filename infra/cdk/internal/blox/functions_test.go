package blox_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFunctions(t *testing.T) {
	for name, want := range map[string]struct{ memoryMB, seconds int }{
		"ingest": {256, 20}, "reconcile": {512, 300}, "dispatch": {256, 60}, "drive": {512, 60}, "api": {256, 29}, "stream": {256, 330},
	} {
		t.Run(name, func(t *testing.T) {
			f := standard.template.function(t, name)
			require.Equal(t, "provided.al2023", f["Runtime"])
			require.Equal(t, "bootstrap", f["Handler"])
			require.Equal(t, []any{"arm64"}, f["Architectures"])
			require.EqualValues(t, want.memoryMB, f["MemorySize"])
			require.EqualValues(t, want.seconds, f["Timeout"])
			require.NotContains(t, f, "TracingConfig")
			require.NotContains(t, f, "FunctionName")

			logs, _ := standard.template.one(t, "AWS::Logs::LogGroup", "Functions"+functionIDs[name]+"Logs")
			require.Equal(t, object{"LogGroup": ref(logs)}, f["LoggingConfig"])
			require.EqualValues(t, 30, standard.template.Resources[logs].Properties["RetentionInDays"])

			other := options.template.function(t, name)
			require.Equal(t, []any{"x86_64"}, other["Architectures"])
			require.Equal(t, object{"Mode": "Active"}, other["TracingConfig"])
		})
	}
	require.Len(t, standard.template.ids("AWS::Lambda::Function"), 6)
}

// Lambda takes a function that sends messages to its own queue for a runaway, and drops them.
func TestOnlyDriveMayWakeItself(t *testing.T) {
	for name := range functionIDs {
		want := "Terminate"
		if name == "drive" {
			want = "Allow"
		}
		require.Equal(t, want, standard.template.function(t, name)["RecursiveLoop"], name)
	}
}

func TestOnlyWatchersAreCapped(t *testing.T) {
	for name := range functionIDs {
		if name != "stream" {
			require.NotContains(t, standard.template.function(t, name), "ReservedConcurrentExecutions", name)
		}
	}
	require.EqualValues(t, 20, standard.template.function(t, "stream")["ReservedConcurrentExecutions"])
	// A reservation of 0 would turn the function off.
	require.NotContains(t, options.template.function(t, "stream"), "ReservedConcurrentExecutions", "watchers is 0 there")
}

var variable = regexp.MustCompile(`"(BLOX_[A-Z_]+)"`)

// The functions of one binary read the variables in the binary's source, between them. AWS_REGION is Lambda's.
func TestFunctionsGetTheVariablesThatTheyRead(t *testing.T) {
	for binary, names := range map[string][]string{
		"ingest": {"ingest"}, "reconcile": {"reconcile"}, "scheduler": {"dispatch", "drive"}, "api": {"api", "stream"},
	} {
		source := productSource(t, "functions/"+binary+"/settings.go")
		if strings.Contains(source, `"github.com/blox/blox/internal/member"`) {
			source += productSource(t, "internal/member/settings.go")
		}
		read := map[string]bool{}
		for _, match := range variable.FindAllStringSubmatch(source, -1) {
			read[match[1]] = true
		}
		set := map[string]bool{}
		for _, name := range names {
			for key, value := range environment(standard, t, name) {
				set[key] = true
				require.NotEmpty(t, value, "%s of %s", key, name)
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(set)), binary)
	}
}

func productSource(tb testing.TB, path string) string {
	tb.Helper()
	source, err := os.ReadFile("../../../../" + path)
	require.NoError(tb, err)
	return string(source)
}

func environment(m made, tb testing.TB, name string) object {
	return m.template.function(tb, name)["Environment"].(object)["Variables"].(object)
}

func TestVariablesSayWhatTheParametersSay(t *testing.T) {
	require.Equal(t, object{
		"BLOX_INSTALLATION": "team-a", "BLOX_ACCOUNT": ref("AWS::AccountId"), "BLOX_HANDLER": "drive",
		"BLOX_STATE_TABLE": ref("StateTable"), "BLOX_DAEMON_TABLE": ref("DaemonTable"), "BLOX_WAKEUP_QUEUE_URL": queueRef(t, "DaemonWakeups"),
		"BLOX_RETENTION_DAYS": "14", "BLOX_RECONCILE_MINUTES": "1", "BLOX_ECS_READS_PER_SECOND": "10", "BLOX_ECS_MODIFIES_PER_SECOND": "20",
		"BLOX_EVENT_BUS": "blox-team-a", "BLOX_MEMBERS": "210987654321/eu-west-1,123456789012/us-east-1", "BLOX_EXTERNAL_ID": "6c1d7d52",
	}, environment(options, t, "drive"))
	require.Equal(t, object{
		"BLOX_INSTALLATION": "team-a", "BLOX_STATE_TABLE": ref("StateTable"), "BLOX_EVENTS_DLQ_URL": queueRef(t, "EventsQueueDeadLetters"),
		"BLOX_RECONCILE_QUEUE_URL": queueRef(t, "DaemonReconcile"), "BLOX_RETENTION_DAYS": "14",
	}, environment(options, t, "ingest"))
	require.Equal(t, object{
		"BLOX_HANDLER": "stream", "BLOX_INSTALLATION": "team-a", "BLOX_ACCOUNT": ref("AWS::AccountId"), "BLOX_STATE_TABLE": ref("StateTable"),
		"BLOX_VERSION": "v1.2.3", "BLOX_RETENTION_DAYS": "14",
	}, environment(options, t, "stream"))
	require.Equal(t, "none", environment(standard, t, "reconcile")["BLOX_MEMBERS"])
	require.Equal(t, "none", environment(standard, t, "api")["BLOX_EXTERNAL_ID"])
	require.Equal(t, "dispatch", environment(standard, t, "dispatch")["BLOX_HANDLER"])
	require.Equal(t, "api", environment(standard, t, "api")["BLOX_HANDLER"])
}

func queueRef(tb testing.TB, prefix string) object {
	id, _ := options.template.one(tb, "AWS::SQS::Queue", prefix)
	return ref(id)
}
