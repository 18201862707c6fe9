// Package alarms reads the states of CloudWatch alarms that deployments are watched by.
//
// Metric and composite alarms are read. A log alarm can be watched through a composite one: not every region that has
// the other two knows that type, and a call that asks for it there is refused as a whole.
package alarms

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// API is the part of [cloudwatch.Client] that Blox uses.
type API interface {
	DescribeAlarms(
		ctx context.Context, in *cloudwatch.DescribeAlarmsInput, opts ...func(*cloudwatch.Options),
	) (*cloudwatch.DescribeAlarmsOutput, error)
}

var _ API = (*cloudwatch.Client)(nil)

const (
	// namesPerCall and alarmsPerPage are DescribeAlarms's limits.
	namesPerCall  = 100
	alarmsPerPage = 100
	// maxPages bounds the pages of one call: 100 names are at most that many alarms of each type.
	maxPages = 10
)

// States are the states of alarms by name: OK, ALARM, INSUFFICIENT_DATA, or empty for one that does not exist. Each
// name is in the result. With an error nothing is known of any.
func States(ctx context.Context, api API, names []string) (map[string]string, error) {
	states := make(map[string]string, len(names))
	for _, name := range names {
		states[name] = ""
	}
	for batch := range slices.Chunk(names, namesPerCall) {
		if err := read(ctx, api, batch, states); err != nil {
			return nil, fmt.Errorf("describing %d CloudWatch alarms: %w", len(batch), err)
		}
	}
	return states, nil
}

// read adds the states of alarms that fit into one call. Without AlarmTypes CloudWatch tells of metric alarms alone.
func read(ctx context.Context, api API, names []string, states map[string]string) error {
	in := &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names, MaxRecords: aws.Int32(alarmsPerPage),
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
	}
	for range maxPages {
		out, err := api.DescribeAlarms(ctx, in)
		if err != nil {
			return err
		}
		for _, alarm := range out.MetricAlarms {
			states[aws.ToString(alarm.AlarmName)] = string(alarm.StateValue)
		}
		for _, alarm := range out.CompositeAlarms {
			states[aws.ToString(alarm.AlarmName)] = string(alarm.StateValue)
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
	return fmt.Errorf("CloudWatch answered more than %d pages", maxPages)
}
