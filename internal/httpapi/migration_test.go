package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

func TestAServiceIsTakenOverFrom(t *testing.T) {
	service := func(change func(*types.Service)) []types.Service {
		s := types.Service{
			ClusterArn: aws.String(clusterARN("edge")), ServiceName: aws.String("logs"), Status: aws.String("ACTIVE"),
			SchedulingStrategy: types.SchedulingStrategyDaemon,
			PlacementConstraints: []types.PlacementConstraint{
				{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("not(attribute:blox.handover exists)")},
			},
		}
		change(&s)
		return []types.Service{s}
	}
	for about, test := range map[string]struct {
		services []types.Service
		status   int
		want     string
	}{
		"as it should be":      {service(func(*types.Service) {}), 200, ""},
		"a REPLICA service":    {service(func(s *types.Service) { s.SchedulingStrategy = types.SchedulingStrategyReplica }), 400, "is a REPLICA"},
		"one that keeps hosts": {service(func(s *types.Service) { s.PlacementConstraints = nil }), 400, "not(attribute:blox.handover exists)"},
		"one that was deleted": {service(func(s *types.Service) { s.Status = aws.String("INACTIVE") }), 404, "does not exist"},
		"one of elsewhere":     {service(func(s *types.Service) { s.ClusterArn = aws.String(clusterARN("core")) }), 404, "does not exist"},
	} {
		t.Run(about, func(t *testing.T) {
			a := newAPI(t)
			a.definitions()
			a.ecs.services = test.services
			got := a.put("n", body("plain:1", `"migrateFrom": "logs"`))
			if test.status != http.StatusOK {
				require.Contains(t, got.problem(test.status), test.want)
				return
			}
			require.Equal(t, "logs", got.object()["migrateFrom"])
			a.ecs.services = nil
			var next client.Environment
			a.put("n", body("plain:1", `"migrateFrom": "logs"`, `"drainPriority": 1`)).into(&next)
			require.Equal(t, 2, next.Revision, "once it was taken over from, the service may be gone")
		})
	}
}
