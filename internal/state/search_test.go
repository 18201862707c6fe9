package state_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

func TestSearchOfTasks(t *testing.T) {
	task := taskRecord(t, taskDetail)
	for _, found := range []string{
		"0f5d", "task/edge/0F5D", "log-agent:12", "LOG-AGENT", "web", "ecs-svc/91", "3b9e", // beside the detail, but for the revision
		"sidecar", "agent:4.2", "sha256:8a4", "5e9d", "outofmemory", "10.0.7.9", "10.0.7.10", "2a05:d018", "asg-blue", "eu-west-1b",
		"größe", "GRÖßE", "ας", "ΑΣ", "ασ", // one upper case sigma has two lower case ones
		"envoy web", "  web \t envoy\n", "WEB 10.0.7.10", "web web",
	} {
		require.True(t, state.TaskFilter{Search: found}.Matches(task), found)
	}
	for _, missed := range []string{
		"fluentd", "web fluentd", "fluentd web",
		"RUNNING", "UNHEALTHY", "EC2", // there are filters for these, and searches for names would find half of all
		"containers", "macAddress", "0a:00", // what is no name, id, image, address or reason
		"0f5darn", "edge/0f5dlog", // two texts in a row are not one
		"sidecarenvoy", "envoy10.0.7.10", "\"name\"", "name\":\"agent",
	} {
		require.False(t, state.TaskFilter{Search: missed}.Matches(task), missed)
	}
	stopped := taskRecord(t, `{"lastStatus":"STOPPED","stopCode":"TaskFailedToStart","stoppedReason":"CannotPullContainerError: \"no such host\""}`)
	require.True(t, state.TaskFilter{Search: "cannotpull failedtostart"}.Matches(stopped))
	require.True(t, state.TaskFilter{Search: `"no host"`}.Matches(stopped), "escaped in the JSON")
	require.False(t, state.TaskFilter{Search: "web"}.Matches(stopped))
	require.False(t, state.TaskFilter{Search: "such host\"TaskFailed"}.Matches(stopped), "two texts in a row are not one")
}

func TestSearchOfContainerInstances(t *testing.T) {
	host := hostRecord(t, hostDetail)
	for _, found := range []string{
		"3b9e", "I-0A1B", "container-instance/edge", "m8g.2x", "west-1b", "spot interruption", "1.103", "27.5.1", "asg", "canary:2", "ring", "rack",
	} {
		require.True(t, state.InstanceFilter{Search: found}.Matches(host), found)
	}
	for _, missed := range []string{"blue-green", "capability", "ecr-auth", "DRAINING", "registeredAt", "canary:2rack"} {
		require.False(t, state.InstanceFilter{Search: missed}.Matches(host), missed)
	}
}

func TestASearchForNothingFindsAll(t *testing.T) {
	require.True(t, state.TaskFilter{Search: " "}.Matches(taskRecord(t, `{}`)))
	require.True(t, state.InstanceFilter{Search: "\t"}.Matches(hostRecord(t, `{}`)))
}

// Whatever a text holds, JSON may write it in several ways: a search finds it all
// the same, in any case.
func TestASearchFindsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reason := rapid.String().Draw(t, "reason")
		escaped, err := json.Marshal(reason)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "letters as numbers") {
			var numbers strings.Builder
			for _, unit := range utf16.Encode([]rune(reason)) {
				fmt.Fprintf(&numbers, `\u%04x`, unit)
			}
			escaped = []byte(`"` + numbers.String() + `"`)
		}
		task := taskRecord(t, `{"lastStatus":"STOPPED","stoppedReason":`+string(escaped)+`}`)
		for _, word := range strings.Fields(reason) {
			for _, search := range []string{word, strings.ToUpper(word), strings.ToLower(word)} {
				if strings.EqualFold(search, word) && !(state.TaskFilter{Search: search}).Matches(task) {
					t.Fatalf("%q is not found in %q", search, reason)
				}
			}
		}
	})
}
