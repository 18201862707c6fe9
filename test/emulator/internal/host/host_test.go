package host

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/test/emulator/internal/stack"
)

var template = &stack.Template{Partition: "aws", Account: "123456789012", Region: "us-east-1"}

func TestMetricsAreReadFromTheLog(t *testing.T) {
	m := newMetrics()
	m.line(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Blox","Metrics":[{"Name":"A"},{"Name":"B"}]}]},"A":3,"B":[1,2],"C":9}`)
	m.line(`{"_aws":{"CloudWatchMetrics":[{"Namespace":"Other","Metrics":[{"Name":"A"}]}]},"A":7}`)
	m.line(`not JSON`)
	require.Equal(t, []float64{3}, m.Values("A"))
	require.Equal(t, []float64{1, 2}, m.Values("B"))
	require.Empty(t, m.Values("C"))
}

func TestAnEventAsAnEntryOfTheBus(t *testing.T) {
	e := entry([]byte(`{"source":"aws.ecs","detail-type":"X","time":"2026-11-23T12:00:00Z","resources":["a"],"detail":{"version":7}}`))
	require.Equal(t, "aws.ecs", *e.Source)
	require.Equal(t, `{"version":7}`, *e.Detail)
	require.Equal(t, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), *e.Time)
}

func TestCapacityProvidersShowInEventsAndAnswers(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	sim := ecssim.New(ecssim.Config{}, now)
	arn := sim.AddHost(now, "edge", ecssim.HostSpec{})
	front := newECSFront(ecssim.NewServer(sim, func() time.Time { return now }, nil), template)
	ask := func(action, body string) string {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+action)
		w := httptest.NewRecorder()
		front.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		return w.Body.String()
	}
	require.NotContains(t, ask("DescribeContainerInstances", `{"cluster":"edge","containerInstances":["`+arn+`"]}`), "capacityProviderName")
	front.Provide(arn, "asg")
	require.Contains(t, ask("DescribeContainerInstances", `{"cluster":"edge","containerInstances":["`+arn+`"]}`), `"capacityProviderName":"asg"`)
	require.Contains(t, ask("DescribeCapacityProviders", `{"capacityProviders":["asg"]}`), "autoScalingGroupProvider")
	event := `{"detail-type":"ECS Container Instance State Change","detail":{"containerInstanceArn":"` + arn + `","ec2InstanceId":"i-1"}}`
	require.Contains(t, string(front.event([]byte(event))), `"capacityProviderName":"asg"`)
	other := `{"detail-type":"ECS Task State Change","detail":{"containerInstanceArn":"` + arn + `"}}`
	require.Equal(t, other, string(front.event([]byte(other))))
}
