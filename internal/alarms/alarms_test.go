package alarms

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"
)

// pages answers one alarm a page, every other one a composite alarm.
type pages struct {
	asked [][]string
	types []types.AlarmType
}

func (p *pages) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	at := 0
	if in.NextToken != nil {
		at, _ = strconv.Atoi(*in.NextToken)
	} else {
		p.asked = append(p.asked, in.AlarmNames)
	}
	p.types = in.AlarmTypes
	out := &cloudwatch.DescribeAlarmsOutput{}
	if at%2 == 0 {
		out.MetricAlarms = []types.MetricAlarm{{AlarmName: &in.AlarmNames[at], StateValue: types.StateValueOk}}
	} else {
		out.CompositeAlarms = []types.CompositeAlarm{{AlarmName: &in.AlarmNames[at], StateValue: types.StateValueAlarm}}
	}
	if at+1 < len(in.AlarmNames) {
		out.NextToken = aws.String(strconv.Itoa(at + 1))
	}
	return out, nil
}

func TestMetricAndCompositeAlarmsAreReadPageByPage(t *testing.T) {
	var api pages
	states, err := States(t.Context(), &api, []string{"errors", "latency", "both"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"errors": "OK", "latency": "ALARM", "both": "OK"}, states)
	require.ElementsMatch(t, []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}, api.types,
		"without its types CloudWatch tells of metric alarms alone")

	states, err = States(t.Context(), &api, make([]string, maxPages+1))
	require.ErrorContains(t, err, "more than 10 pages")
	require.Nil(t, states)
}

func TestACallNamesAtMostAHundredAlarms(t *testing.T) {
	var names []string
	for n := range 250 {
		names = append(names, fmt.Sprintf("alarm-%03d", n))
	}
	api := &Memory{}
	api.Set("alarm-249", "ALARM")
	states, err := States(t.Context(), api, names)
	require.NoError(t, err)
	require.Len(t, states, 250)
	require.Equal(t, "ALARM", states["alarm-249"])
	require.Empty(t, states["alarm-000"], "one that does not exist is known not to")
	require.Equal(t, 3, api.Calls())
}

func TestWhatCannotBeReadIsNotKnown(t *testing.T) {
	api := &Memory{}
	api.Set("errors", "OK")
	api.Fail(errors.New("no network"))
	states, err := States(t.Context(), api, []string{"errors"})
	require.EqualError(t, err, "describing 1 CloudWatch alarms: no network")
	require.Nil(t, states)

	api.Fail(nil)
	states, err = States(t.Context(), api, []string{"errors"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"errors": "OK"}, states)
	api.Set("errors", "")
	states, err = States(t.Context(), api, []string{"errors"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"errors": ""}, states, "it was deleted")
}
