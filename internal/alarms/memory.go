package alarms

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Memory is a CloudWatch whose alarms change when they are told to. The zero value has none. It is safe for concurrent
// use.
type Memory struct {
	mu    sync.Mutex
	state map[string]types.StateValue
	err   error
	calls int
}

// Set makes an alarm, or changes its state: OK, ALARM or INSUFFICIENT_DATA. An empty state deletes it.
func (m *Memory) Set(name, state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state == nil {
		m.state = map[string]types.StateValue{}
	}
	m.state[name] = types.StateValue(state)
	if state == "" {
		delete(m.state, name)
	}
}

// Fail makes every call fail, until it is called with nil.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Calls is how often the alarms were asked for.
func (m *Memory) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// DescribeAlarms answers all alarms that are asked for, as metric alarms, by name and in one page.
func (m *Memory) DescribeAlarms(
	_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options),
) (*cloudwatch.DescribeAlarmsOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.err != nil {
		return nil, m.err
	}
	out := &cloudwatch.DescribeAlarmsOutput{}
	for _, name := range slices.Sorted(maps.Keys(m.state)) {
		if slices.Contains(in.AlarmNames, name) {
			alarm := types.MetricAlarm{AlarmName: aws.String(name), StateValue: m.state[name]}
			out.MetricAlarms = append(out.MetricAlarms, alarm)
		}
	}
	return out, nil
}
