package state_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestValuesOfECSAreReadInAnyCase(t *testing.T) {
	tests := map[string]struct {
		parse   func(string) (string, error)
		allowed []string
		want    []string
	}{
		"health status": {state.ParseHealthStatus, state.HealthStatuses(), []string{"HEALTHY", "UNHEALTHY", "UNKNOWN"}},
		"launch type":   {state.ParseLaunchType, state.LaunchTypes(), []string{"EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"}},
		"stop code": {state.ParseStopCode, state.StopCodes(), []string{
			"TaskFailedToStart", "EssentialContainerExited", "UserInitiated", "ServiceSchedulerInitiated", "SpotInterruption",
			"TerminationNotice", "InfrastructureHealth",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.ElementsMatch(t, test.want, test.allowed)
			require.True(t, slices.IsSorted(test.allowed))
			for _, value := range test.allowed {
				for _, spelling := range []string{value, strings.ToLower(value), strings.ToUpper(value)} {
					got, err := test.parse(spelling)
					require.NoError(t, err)
					require.Equal(t, value, got)
				}
			}
			for _, wrong := range []string{"", "GONE", " " + test.allowed[0], strings.Repeat("x", 10000)} {
				_, err := test.parse(wrong)
				require.ErrorContains(t, err, "invalid "+name)
				require.ErrorContains(t, err, strings.Join(test.allowed, ", "))
				require.Less(t, len(err.Error()), 1000)
			}
		})
	}
}

func TestPrivateIPs(t *testing.T) {
	for given, want := range map[string]string{
		"10.0.7.9": "10.0.7.9", "2a05:D018:001c:0::4F": "2a05:d018:1c::4f", "::ffff:10.0.7.9": "10.0.7.9",
	} {
		got, err := state.ParsePrivateIP(given)
		require.NoError(t, err, given)
		require.Equal(t, want, got)
	}
	for _, wrong := range []string{
		"", "10.0.7", "10.0.7.256", "10.0.7.09", "10.0.0.0/16", "10.0.7.9:80", "fe80::1%eth0", "host", " 10.0.7.9", strings.Repeat("1", 5000),
	} {
		_, err := state.ParsePrivateIP(wrong)
		require.ErrorContains(t, err, "allowed is an IPv4 or IPv6 address", wrong)
		require.Less(t, len(err.Error()), 1000)
	}
}

func TestReferencesInFilters(t *testing.T) {
	long, longest := strings.Repeat("x", 256), strings.Repeat("x", 255)
	const otherKind = prefix + "cluster/edge"
	tests := map[string]struct {
		parse   func(string) (string, error)
		right   []string
		wrong   []string
		allowed string
	}{
		"task definition": {
			parse: state.ParseTaskDefinitionFilter,
			right: []string{"web", "web:1", "web:9999999999", longest + ":1", prefix + "task-definition/web:1"},
			wrong: []string{"", "web:", "web:0", "web:01", "web:latest", ":1", "a b", "web/1", long, "web:1:2", "größe"},
			allowed: "allowed are FAMILY, FAMILY:REVISION with a family of 1 to 255 letters, digits, hyphens and underscores " +
				"and a revision of 1 and above, and the ARN of a task definition",
		},
		"service": {
			parse:   state.ParseServiceFilter,
			right:   []string{"web", longest, prefix + "service/web", prefix + "service/edge/web"},
			wrong:   []string{"", "service:web", "edge/web", "a b", long, "\x00"},
			allowed: "allowed are a name of 1 to 255 letters, digits, hyphens and underscores, and the ARN of a service",
		},
		"container instance": {
			parse:   state.ParseContainerInstanceFilter,
			right:   []string{"3b9e", prefix + "container-instance/3b9e", prefix + "container-instance/edge/3b9e"},
			wrong:   []string{"", "edge/3b9e", "a b", long},
			allowed: "allowed are an id of 1 to 255 letters, digits, hyphens and underscores, and the ARN of a container instance",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, right := range test.right {
				got, err := test.parse(right)
				require.NoError(t, err)
				require.Equal(t, right, got)
			}
			for _, wrong := range test.wrong {
				_, err := test.parse(wrong)
				require.ErrorContains(t, err, "invalid "+name, wrong)
				require.ErrorContains(t, err, test.allowed)
				require.Less(t, len(err.Error()), 1000)
			}
			_, err := test.parse(otherKind)
			require.ErrorContains(t, err, "this is the ARN of a cluster, allowed is a "+strings.ReplaceAll(name, " ", "-")+"'s")
			_, err = test.parse("arn:aws:ecs:eu-west-1:12:" + name)
			require.ErrorContains(t, err, `account "12", allowed are 12 digits`)
		})
	}
}

func TestAttributeFilters(t *testing.T) {
	for given, want := range map[string]state.AttributeFilter{
		"ring":                    {Name: "ring"},
		"ring:":                   {Name: "ring", Value: new("")},
		"ring:canary":             {Name: "ring", Value: new("canary")},
		"ring:a:b c@d/e\\f":       {Name: "ring", Value: new("a:b c@d/e\\f")},
		"ecs.capability.ecr-auth": {Name: "ecs.capability.ecr-auth"},
		`a/b\c.d-e_f`:             {Name: `a/b\c.d-e_f`},
	} {
		got, err := state.ParseAttributeFilter(given)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, given, got.String())
	}
	for _, wrong := range []string{"", ":", ":canary", "a b", "größe", "ring=canary", "a\n", strings.Repeat("x", 129), strings.Repeat("x", 9999)} {
		_, err := state.ParseAttributeFilter(wrong)
		require.ErrorContains(t, err, `allowed is NAME or NAME:VALUE with a name of 1 to 128 letters, digits and - _ . / \`, wrong)
		require.Less(t, len(err.Error()), 1000)
	}
	for _, wrong := range []string{"ring:größe", "ring:a\n", "ring:a,b", "ring:" + strings.Repeat("x", 129), "ring:\xff"} {
		_, err := state.ParseAttributeFilter(wrong)
		require.ErrorContains(t, err, "invalid value of attribute ring")
		require.ErrorContains(t, err, `allowed are at most 128 letters, digits, spaces and : - _ . @ / \`)
	}
}

func TestSearchesAreBounded(t *testing.T) {
	for _, right := range []string{"", "web", " a  b ", "1 2 3 4 5 6 7 8", strings.Repeat("ü", 256), `"<&>\`} {
		require.NoError(t, state.ValidateSearch(right))
	}
	for wrong, message := range map[string]string{
		strings.Repeat("ü", 257): "257 characters, allowed are at most 256",
		"1 2 3 4 5 6 7 8 9":      "9 words, allowed are at most 8",
		" \t":                    "blanks only",
		"a\xff":                  "not valid UTF-8",
	} {
		require.ErrorContains(t, state.ValidateSearch(wrong), message)
	}
}
