package observability_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

// document is docs/deploy.md.
func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../../docs/deploy.md")
	require.NoError(t, err)
	return string(text)
}

var (
	described = regexp.MustCompile(`^[A-Z].+\. First: .+\. Runbook: docs/deploy\.md, section ([a-z-]+)\.$`)
	heading   = regexp.MustCompile(`(?m)^### (.+)$`)
)

// ofMembers are the sections of alarms that the members' stack has.
var ofMembers = []string{"dead-letters-member"}

func TestEveryAlarmTellsPeopleAndSaysWhatToDo(t *testing.T) {
	topics := slices.Collect(maps.Keys(standard().of("AWS::SNS::Topic")))
	require.Len(t, topics, 1)
	sent := []any{map[string]any{"Ref": topics[0]}}
	sections := map[string]bool{}
	for _, section := range ofMembers {
		sections[section] = true
	}
	for _, alarm := range standard().of("AWS::CloudWatch::Alarm") {
		name := alarm["AlarmName"].(string)
		require.Equal(t, sent, alarm["AlarmActions"], name)
		require.Equal(t, sent, alarm["OKActions"], name)
		description := alarm["AlarmDescription"].(string)
		require.LessOrEqual(t, len(description), 1024, name)
		found := described.FindStringSubmatch(description)
		require.NotNil(t, found, description)
		sections[found[1]] = true
		// Whoever searches the page for what CloudWatch shows finds the section.
		require.Contains(t, named(t, found[1]), "`"+name+"`", "the section %s", found[1])
	}
	// Neither an alarm without a section, nor a section whose alarm is gone.
	_, runbook, found := strings.Cut(document(t), "\n## Alarms and what to do\n")
	require.True(t, found)
	runbook, _, _ = strings.Cut(runbook, "\n## ")
	var headings []string
	for _, h := range heading.FindAllStringSubmatch(runbook, -1) {
		headings = append(headings, h[1])
	}
	slices.Sort(headings)
	require.Equal(t, slices.Sorted(maps.Keys(sections)), headings)
}

// named is the line of a section that names its alarms.
func named(t *testing.T, section string) string {
	t.Helper()
	found := regexp.MustCompile(`\n### ` + section + `\n\n(Alarms?: (?:.+\n)+)\n`).FindStringSubmatch(document(t))
	require.NotNil(t, found, "section %s does not begin with the names of its alarms", section)
	return found[1]
}

// The names of the parameters are in the error that refuses an unknown one.
func TestEveryParameterIsDescribed(t *testing.T) {
	_, err := settings.From(map[string]any{"none": ""})
	require.Error(t, err)
	_, names, found := strings.Cut(err.Error(), "allowed are ")
	require.True(t, found)
	for _, name := range strings.Split(names, ", ") {
		require.Regexp(t, "(?m)^\\|[^|]*`"+name+"`", document(t))
	}

	s, err := settings.From(map[string]any{})
	require.NoError(t, err)
	for name, standard := range map[string]any{
		"installation": s.Installation, "retentionDays": s.RetentionDays, "reconcileMinutes": s.ReconcileMinutes,
		"readsPerSecond": s.ReadsPerSecond, "modifiesPerSecond": s.ModifiesPerSecond, "watchers": s.Watchers,
		"forwardChanges": s.ForwardChanges,
		"removalPolicy":  s.RemovalPolicy, "customerKey": s.CustomerKey, "tracing": s.Tracing,
		"logRetentionDays": s.LogRetentionDays, "architecture": s.Architecture,
	} {
		require.Regexp(t, "(?m)^\\| `"+name+"` \\| `?"+fmt.Sprint(standard)+"`? \\|", document(t))
	}
}

// GitHub makes anchors of headings: a heading that was renamed leaves links that lead nowhere.
func TestLinksWithinTheDocumentLeadSomewhere(t *testing.T) {
	anchors := map[string]bool{}
	for _, h := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(document(t), -1) {
		anchors[strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(h[1]), ",", ""), " ", "-")] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(document(t), -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		require.True(t, anchors[link[1]], "there is no heading for #%s", link[1])
	}
}
