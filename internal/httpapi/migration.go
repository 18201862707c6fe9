package httpapi

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
)

// checkMigration refuses a service that a daemon cannot take over from, when it is named first: later it may be gone, and
// the definition still name it. A service without the constraint would keep its tasks, and ours would wait for ever.
func (s *server) checkMigration(ctx context.Context, rev daemon.Revision) error {
	if rev.MigrateFrom == "" {
		return nil
	}
	const at = "body.migrateFrom"
	found := false
	for _, cluster := range rev.Clusters { // at most 50
		api, err := s.ECS(cluster.Account, cluster.Region)
		if err != nil {
			return badRequest(err)
		}
		arn := cluster.ARN("")
		out, err := api.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &arn, Services: []string{rev.MigrateFrom}})
		var gone *types.ClusterNotFoundException
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return ecsError(err, "describing service "+rev.MigrateFrom)
		}
		for _, service := range out.Services {
			if aws.ToString(service.Status) != "ACTIVE" {
				continue
			}
			found = true
			switch {
			case service.SchedulingStrategy != types.SchedulingStrategyDaemon:
				return badRequest(wrong(at, rev.MigrateFrom, "this service of cluster %s is a %s: allowed are DAEMON services", arn, service.SchedulingStrategy))
			case !yields(service):
				return badRequest(wrong(at, rev.MigrateFrom, "this service of cluster %s would not give its hosts up: give it the placement constraint "+
					"memberOf not(attribute:%s exists), as blox migrate does", arn, handoverAttribute))
			}
		}
	}
	if !found {
		return notFound("service %s does not exist in the environment's clusters", rev.MigrateFrom)
	}
	return nil
}

// yields says that the service stops its task on a host that carries the attribute.
func yields(service types.Service) bool {
	for _, constraint := range service.PlacementConstraints {
		expression := aws.ToString(constraint.Expression)
		if constraint.Type == types.PlacementConstraintTypeMemberOf && strings.Contains(expression, handoverAttribute) && strings.Contains(expression, "exists") {
			return true
		}
	}
	return false
}
