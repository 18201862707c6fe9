package member

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/require"
)

func TestAMembersAlarmsAreReadWithItsRole(t *testing.T) {
	clients, a := newClients(t, time.Hour)
	for range 2 {
		for _, p := range clients.cfg.Places() {
			client, err := clients.CloudWatch(p.Account, p.Region)
			require.NoError(t, err)
			_, _ = client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{}) // what it answers is not CloudWatch's
		}
	}
	require.Equal(t, []string{
		"monitoring.eu-west-1.amazonaws.com HOME", "monitoring.us-east-1.amazonaws.com SESSION1", "monitoring.eu-west-1.amazonaws.com SESSION2",
		"monitoring.eu-west-1.amazonaws.com HOME", "monitoring.us-east-1.amazonaws.com SESSION1", "monitoring.eu-west-1.amazonaws.com SESSION2",
	}, a.calls)
	require.Len(t, a.assumed, 2, "a session serves until it ends")

	_, err := clients.CloudWatch("999999999999", "eu-west-1")
	var unknown *UnknownPlaceError
	require.ErrorAs(t, err, &unknown)
}
