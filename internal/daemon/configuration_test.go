package daemon

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAConfigurationSaysAllThatIsWrongWithIt(t *testing.T) {
	for name, c := range map[string]struct {
		config DeploymentConfiguration
		want   []string
	}{
		"nothing": {DefaultDeploymentConfiguration(), nil},
		"all that there is": {DeploymentConfiguration{
			Method: ReplaceThenTerminate, MinimumHealthyPercent: 100, MaxUnavailable: "0", MaxSurge: "10%", MinHealthySeconds: 30,
			HostDeadlineSeconds: 31, ProgressDeadlineSeconds: 600, BakeSeconds: 60, Alarms: []string{"a", "b"},
			Canary:         &Canary{Expression: "attribute:zone == b", PromoteAfterSeconds: 60},
			CircuitBreaker: CircuitBreaker{Threshold: "200"},
		}, nil},
		"numbers out of their bounds": {
			DeploymentConfiguration{MinimumHealthyPercent: 101, MinHealthySeconds: -1, HostDeadlineSeconds: 86401, ProgressDeadlineSeconds: -1, BakeSeconds: 90000},
			[]string{
				"minimumHealthyPercent 101: want 0 to 100", "minHealthySeconds -1: want 0 to 3600", "hostDeadlineSeconds 86401: want 0 to 86400",
				"progressDeadlineSeconds -1: want 0 to 86400", "bakeSeconds 90000: want 0 to 86400",
			},
		},
		"a deadline that no host can keep": {
			DeploymentConfiguration{MinHealthySeconds: 60, HostDeadlineSeconds: 60},
			[]string{"hostDeadlineSeconds 60: want more than minHealthySeconds (60), or no host could be in time"},
		},
		"a method that there is not": {
			DeploymentConfiguration{Method: "blueGreen"}, []string{`method "blueGreen": want terminateThenReplace, replaceThenTerminate or onDelete`},
		},
		"amounts that are none": {
			DeploymentConfiguration{MaxUnavailable: "101%", MaxSurge: "many", Method: ReplaceThenTerminate},
			[]string{`maxUnavailable: "101%": want a number of hosts`, `maxSurge: "many": want a number of hosts`},
		},
		"nothing may ever be down":            {DeploymentConfiguration{MaxUnavailable: "0"}, []string{"maxUnavailable 0: want at least 1, or nothing could be replaced"}},
		"nothing may ever surge":              {DeploymentConfiguration{Method: ReplaceThenTerminate, MaxSurge: "0%"}, []string{"maxSurge 0% with method replaceThenTerminate: want at least 1"}},
		"a surge without the method":          {DeploymentConfiguration{MaxSurge: "1"}, []string{"maxSurge 1: allowed with method replaceThenTerminate only"}},
		"all stay, and one goes all the same": {DeploymentConfiguration{MinimumHealthyPercent: 100}, nil},
		"a canary by both":                    {DeploymentConfiguration{Canary: &Canary{Hosts: "1", Expression: "attribute:a exists"}}, []string{"canary: want either hosts or expression"}},
		"a canary by nothing":                 {DeploymentConfiguration{Canary: &Canary{}}, []string{"canary: want either hosts or expression"}},
		"no canaries":                         {DeploymentConfiguration{Canary: &Canary{Hosts: "0", PromoteAfterSeconds: -1}}, []string{"canary.hosts 0: want at least 1", "canary.promoteAfterSeconds -1: want 0 to 86400"}},
		"an expression with a mistake":        {DeploymentConfiguration{Canary: &Canary{Expression: "attribute:zone = b"}}, []string{"canary.expression: ", "column 16"}},
		"a breaker that never trips":          {DeploymentConfiguration{CircuitBreaker: CircuitBreaker{Threshold: "201"}}, []string{"circuitBreaker.threshold 201: want 1 to 200 hosts, or 1% to 100%"}},
		"a breaker that always trips":         {DeploymentConfiguration{CircuitBreaker: CircuitBreaker{Threshold: "0"}}, []string{"circuitBreaker.threshold 0: want 1 to 200 hosts"}},
		"alarms without and with one name": {
			DeploymentConfiguration{Alarms: []string{"", "a", "a", strings.Repeat("x", 256)}},
			[]string{`alarms[0] "": want a name of 1 to 255 characters`, `alarms[2] "a": is there twice`, "alarms[3] "},
		},
		"more alarms than are watched": {
			DeploymentConfiguration{Alarms: strings.Split("a b c d e f g h i j k", " ")}, []string{"alarms: 11 are too many, want at most 10"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.config.Validate()
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.Len(t, strings.Split(strings.TrimSpace(err.Error()), "\n"), lines(c.want), err.Error())
		})
	}
}

// lines is how many errors a table's parts are: an error with a position has two of them.
func lines(want []string) int {
	if strings.HasSuffix(want[0], ": ") {
		return 1
	}
	return len(want)
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]struct{ down, up int }{
		`"3"`: {3, 3}, `3`: {3, 3}, `"25%"`: {2, 3}, `"100%"`: {10, 10}, `"0%"`: {0, 0}, `""`: {0, 0}, `"007"`: {7, 7},
	} {
		var a Amount
		require.NoError(t, json.Unmarshal([]byte(text), &a), text)
		require.Equal(t, want.down, a.RoundedDown(10), text)
		require.Equal(t, want.up, a.RoundedUp(10), text)
	}
	for _, text := range []string{`"-1"`, `"+1"`, `"%"`, `"1.5"`, `"100001"`, `"101%"`, `1.5`, `"1 %"`, `{}`} {
		var a Amount
		require.Error(t, json.Unmarshal([]byte(text), &a), text)
	}
}

func TestHowManyHostsAConfigurationAllows(t *testing.T) {
	c := DeploymentConfiguration{MinimumHealthyPercent: 67}
	require.Equal(t, 3, c.AllowedUnavailable(10), "rounded down")
	require.Equal(t, 1, c.AllowedUnavailable(1), "at least one")
	c.Method = ReplaceThenTerminate
	require.Zero(t, c.AllowedUnavailable(1), "a surge needs none")
	require.Equal(t, 3, c.AllowedSurge(10), "a quarter, rounded up")
	require.Equal(t, 1, c.AllowedSurge(1))

	require.Equal(t, 5, CircuitBreaker{}.FailedHosts(41), "a tenth, rounded up")
	require.Equal(t, 1, CircuitBreaker{}.FailedHosts(0))
	require.Equal(t, MaxBreakerHosts, CircuitBreaker{Threshold: "50%"}.FailedHosts(5000))

	require.Equal(t, 10*time.Minute+30*time.Second, DeploymentConfiguration{MinHealthySeconds: 30}.HostDeadline())
	require.Equal(t, time.Minute, DeploymentConfiguration{MinHealthySeconds: 30, HostDeadlineSeconds: 60}.HostDeadline())
}
