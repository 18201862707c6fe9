package schedules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/test/emulator/internal/stack"
)

func TestTheTemplatesSchedules(t *testing.T) {
	template := &stack.Template{
		Partition: "aws", Account: "123456789012", Region: "us-east-1",
		Resources: map[string]stack.Resource{
			"Drive": {LogicalID: "Drive", Type: "AWS::Lambda::Function", PhysicalID: "drive-1"},
			"Tick": {LogicalID: "Tick", Type: "AWS::Scheduler::Schedule", Properties: map[string]any{
				"ScheduleExpression": "rate(1 minute)",
				"Target":             map[string]any{"Arn": map[string]any{"Fn::GetAtt": []any{"Drive", "Arn"}}, "Input": `{"t":"<aws.scheduler.scheduled-time>"}`},
			}},
		},
	}
	found, err := FromTemplate(template)
	require.NoError(t, err)
	require.Equal(t, []Schedule{{
		ID: "Tick", Expression: "rate(1 minute)", Target: "arn:aws:lambda:us-east-1:123456789012:function:drive-1",
		Input: `{"t":"<aws.scheduler.scheduled-time>"}`, Enabled: true,
	}}, found)
	at := time.Date(2026, 11, 23, 12, 0, 0, 5, time.UTC)
	require.JSONEq(t, `{"t":"2026-11-23T12:00:00Z"}`, string(found[0].Payload(at)))
}

func TestPeriods(t *testing.T) {
	for expression, want := range map[string]time.Duration{"rate(1 minute)": time.Minute, "rate(5 minutes)": 5 * time.Minute, "rate(2 hours)": 2 * time.Hour} {
		got, err := Schedule{Expression: expression}.Period()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, expression := range []string{"cron(0 0 * * ? *)", "rate(5 fortnights)", "rate(0 minutes)", ""} {
		_, err := Schedule{Expression: expression}.Period()
		require.Error(t, err, expression)
	}
}
