package settings_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

func TestWhatHoldsWhenNothingIsGiven(t *testing.T) {
	s, err := settings.From(nil)
	require.NoError(t, err)
	require.Equal(t, &settings.Settings{
		Installation: "blox", RetentionDays: 7, ReconcileMinutes: 5, ReadsPerSecond: 10, ModifiesPerSecond: 20, Watchers: 20,
		RemovalPolicy: settings.Retain, LogRetentionDays: 30, Architecture: settings.ARM64, Version: "dev",
		FunctionsDirectory: "../../dist", OpenAPIPath: "../../api/openapi.yaml",
	}, s)
	require.Equal(t, "none", s.MemberList())
	require.Equal(t, "none", s.ExternalIDOrNone())
	require.False(t, s.IsMember())
}

// The same parameters as text, as the command line gives them, and as cdk.json may hold them.
func TestParametersAsTextAndAsJSON(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/daemons/log-agent"
	asText := map[string]any{
		"installation": "team-a", "retentionDays": "14", "customerKey": "true", "tracing": "true",
		"passableRoleArns": role + ", " + role + "-2", "members": "123456789012/eu-west-1,210987654321/us-gov-west-1",
		"externalId": "6c1d7d52", "alarmEmail": "on-call@example.com", "forwardChanges": "true",
	}
	var asJSON map[string]any
	require.NoError(t, json.Unmarshal([]byte(`{
		"installation": "team-a", "retentionDays": 14, "customerKey": true, "tracing": true,
		"passableRoleArns": ["`+role+`", "`+role+`-2"], "members": ["123456789012/eu-west-1", "210987654321/us-gov-west-1"],
		"externalId": "6c1d7d52", "alarmEmail": "on-call@example.com", "forwardChanges": true
	}`), &asJSON))
	fromText, err := settings.From(asText)
	require.NoError(t, err)
	fromJSON, err := settings.From(asJSON)
	require.NoError(t, err)
	require.Equal(t, fromText, fromJSON)

	require.Equal(t, "team-a", fromText.Installation)
	require.Equal(t, 14, fromText.RetentionDays)
	require.True(t, fromText.CustomerKey)
	require.True(t, fromText.Tracing)
	require.True(t, fromText.ForwardChanges)
	require.Equal(t, []string{role, role + "-2"}, fromText.PassableRoleARNs)
	require.Equal(t, []settings.Member{{Account: "123456789012", Region: "eu-west-1"}, {Account: "210987654321", Region: "us-gov-west-1"}}, fromText.Members)
	require.Equal(t, "123456789012/eu-west-1,210987654321/us-gov-west-1", fromText.MemberList())
	require.Equal(t, "6c1d7d52", fromText.ExternalIDOrNone())
	require.Equal(t, "on-call@example.com", fromText.AlarmEmail)
}

func TestRefusalsSayWhatWasGivenAndWhatIsAllowed(t *testing.T) {
	for _, c := range []struct {
		name  string
		given any
		says  string
	}{
		{"installation", "Blox", `parameter installation is "Blox": allowed is a lower case letter followed by at most 15 lower case letters, digits and hyphens`},
		{"installation", strings.Repeat("b", 17), "at most 15"},
		{"installation", "1st", "a lower case letter"},
		{"installation", "", "a lower case letter"},
		{"retentionDays", "0", `parameter retentionDays is "0": allowed is 1 to 3650 days`},
		{"retentionDays", 3651, "parameter retentionDays is 3651: allowed is 1 to 3650 days"},
		{"retentionDays", 1.5, "parameter retentionDays is 1.5: allowed is 1 to 3650 days"},
		{"retentionDays", []any{7}, "parameter retentionDays is [7]: allowed is 1 to 3650 days"},
		{"reconcileMinutes", "61", "allowed is 1 to 60 minutes"},
		{"readsPerSecond", "many", "allowed is 1 to 1000 calls a second"},
		{"modifiesPerSecond", "-1", "allowed is 1 to 1000 calls a second"},
		{"watchers", "-1", "allowed is 0 to 900 streams"},
		{"watchers", "901", "allowed is 0 to 900 streams"},
		{"passableRoleArns", "arn:aws:iam::123456789012:role/*", `"arn:aws:iam::123456789012:role/*" is none`},
		{"passableRoleArns", "log-agent", `role ARNs as in arn:aws:iam::123456789012:role/name`},
		{"passableRoleArns", []any{7}, "a list of at most 50 role ARNs"},
		{"removalPolicy", "keep", `parameter removalPolicy is "keep": allowed is retain or destroy`},
		{"customerKey", "yes", `parameter customerKey is "yes": allowed is true or false`},
		{"alarmEmail", "on-call", "allowed is an e-mail address, or nothing"},
		{"logRetentionDays", "10", "allowed is one of the periods that CloudWatch Logs knows: 1 3 5 7 14 "},
		{"architecture", "amd64", "allowed is arm64 or x86_64"},
		{"members", "123456789012", `ACCOUNT/REGION as in 123456789012/eu-west-1, with commas between; "123456789012" is none`},
		{"members", "12345678901/eu-west-1", "is none"},
		{"members", "123456789012/eu-west-1,123456789012/eu-west-1", "123456789012/eu-west-1 is there twice"},
		{"forwardChanges", "on", `parameter forwardChanges is "on": allowed is true or false`},
		{"externalId", "x", "2 to 1000"},
		{"centralAccount", "12", "an account of 12 digits"},
		{"centralRegion", "Ireland", "a region as in eu-west-1"},
		{"version", "1 2", "at most 64 letters"},
		{"functionsDirectory", "", "a path"},
		{"retentiondays", "7", `there is no parameter "retentiondays": allowed are installation, retentionDays,`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := settings.From(map[string]any{c.name: c.given})
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestEveryWrongParameterIsNamedAtOnce(t *testing.T) {
	_, err := settings.From(map[string]any{"retentionDays": "0", "watchers": "901", "colour": "blue"})
	require.ErrorContains(t, err, "retentionDays")
	require.ErrorContains(t, err, "watchers")
	require.ErrorContains(t, err, "colour")
}

// The CDK puts feature flags, settings and lookups into the same context.
func TestTheContextOfTheCDKIsLeftAlone(t *testing.T) {
	_, err := settings.From(map[string]any{
		"@aws-cdk/core:validateAgainstDefaultRules": true,
		"aws:cdk:enable-path-metadata":              true,
		"availability-zones:account=1:region=x":     []any{},
	})
	require.NoError(t, err)
}

func TestParametersThatNeedOrExcludeEachOther(t *testing.T) {
	for name, c := range map[string]struct {
		given map[string]any
		says  string
	}{
		"members without external id":      {map[string]any{"members": "123456789012/eu-west-1"}, "externalId is not set: with members"},
		"central account without a region": {map[string]any{"centralAccount": "123456789012", "externalId": "abc"}, "only one of the parameters centralAccount and centralRegion"},
		"member stack without external id": {map[string]any{"centralAccount": "123456789012", "centralRegion": "eu-west-1"}, "externalId is not set: a member stack"},
		"member stack with members": {map[string]any{
			"centralAccount": "123456789012", "centralRegion": "eu-west-1", "externalId": "abc", "members": "210987654321/eu-west-1",
		}, "members is set along with centralAccount"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settings.From(c.given)
			require.ErrorContains(t, err, c.says)
		})
	}
	s, err := settings.From(map[string]any{"centralAccount": "123456789012", "centralRegion": "eu-west-1", "externalId": "abc"})
	require.NoError(t, err)
	require.True(t, s.IsMember())
}

func TestTheInstallationIsNoMemberOfItself(t *testing.T) {
	s, err := settings.From(map[string]any{"members": "123456789012/eu-west-1", "externalId": "abc"})
	require.NoError(t, err)
	require.ErrorContains(t, s.CheckHome("123456789012", "eu-west-1"), "parameter members has 123456789012/eu-west-1")
	require.NoError(t, s.CheckHome("123456789012", "us-east-1"), "the same account in another region may be one")
	require.NoError(t, s.CheckHome("", ""), "without credentials nothing is known")

	s, err = settings.From(map[string]any{"centralAccount": "123456789012", "centralRegion": "eu-west-1", "externalId": "abc"})
	require.NoError(t, err)
	require.ErrorContains(t, s.CheckHome("123456789012", "eu-west-1"), "the member stack would go to 123456789012/eu-west-1")
	require.NoError(t, s.CheckHome("123456789012", "us-east-1"))
}
