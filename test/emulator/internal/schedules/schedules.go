// Package schedules invokes what EventBridge Scheduler would: the targets of the deployed schedules, with their input.
// A test asks for a schedule when it wants it to be due, instead of waiting for minutes.
package schedules

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/blox/blox/test/emulator/internal/stack"
)

// Schedule is a deployed schedule.
type Schedule struct {
	ID         string // logical id, or its name in the account
	Expression string // such as rate(5 minutes)
	Target     string // ARN of a function
	Input      string
	Enabled    bool
}

// Period reads a rate expression; the schedules of Blox have no other.
func (s Schedule) Period() (time.Duration, error) {
	var n int
	var unit string
	if _, err := fmt.Sscanf(s.Expression, "rate(%d %s", &n, &unit); err != nil || n < 1 {
		return 0, fmt.Errorf("schedule %s: the expression %q is no rate", s.ID, s.Expression)
	}
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, ")"), "s")
	lengths := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	if lengths[unit] == 0 {
		return 0, fmt.Errorf("schedule %s: the expression %q is no rate in minutes, hours or days", s.ID, s.Expression)
	}
	return time.Duration(n) * lengths[unit], nil
}

// Payload is the input with the attributes of the context filled in.
func (s Schedule) Payload(at time.Time) []byte {
	return []byte(strings.NewReplacer(
		"<aws.scheduler.scheduled-time>", at.UTC().Truncate(time.Second).Format(time.RFC3339),
		"<aws.scheduler.execution-id>", rand.Text(), "<aws.scheduler.attempt-number>", "1", "<aws.scheduler.schedule-arn>", s.ID,
	).Replace(s.Input))
}

// maxSchedules bounds what is read.
const maxSchedules = 100

// Read asks the account for the schedules whose targets are the given functions.
func Read(ctx context.Context, api *scheduler.Client, functionARNs []string) ([]Schedule, error) {
	wanted := map[string]bool{}
	for _, arn := range functionARNs {
		wanted[arn] = true
	}
	out, err := api.ListSchedules(ctx, &scheduler.ListSchedulesInput{MaxResults: aws.Int32(maxSchedules)})
	if err != nil {
		return nil, fmt.Errorf("listing schedules: %w", err)
	}
	var found []Schedule
	for _, listed := range out.Schedules {
		s, err := api.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: listed.Name, GroupName: listed.GroupName})
		if err != nil {
			return nil, fmt.Errorf("reading schedule %s: %w", aws.ToString(listed.Name), err)
		}
		if s.Target == nil || !wanted[aws.ToString(s.Target.Arn)] {
			continue
		}
		found = append(found, Schedule{
			ID: aws.ToString(s.Name), Expression: aws.ToString(s.ScheduleExpression), Target: aws.ToString(s.Target.Arn),
			Input: aws.ToString(s.Target.Input), Enabled: s.State != "DISABLED",
		})
	}
	return found, nil
}

// FromTemplate reads the schedules that the stack's template asks for, where an emulator makes none of them.
func FromTemplate(t *stack.Template) ([]Schedule, error) {
	var found []Schedule
	for _, r := range t.OfType("AWS::Scheduler::Schedule") {
		var properties struct {
			ScheduleExpression, State string
			Target                    struct{ Arn, Input string }
		}
		// Nothing of a schedule but its target and dead-letter queue refers to other resources.
		if err := t.Resolved(r, &properties); err != nil {
			return nil, err
		}
		found = append(found, Schedule{
			ID: r.LogicalID, Expression: properties.ScheduleExpression, Target: properties.Target.Arn,
			Input: properties.Target.Input, Enabled: properties.State != "DISABLED",
		})
	}
	return found, nil
}
