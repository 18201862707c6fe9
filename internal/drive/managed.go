package drive

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

// isManaged says that a host's capacity provider is one of ECS Managed Instances, on whose hosts only AWS's own managed
// daemons run. Hosts that register themselves have no capacity provider, and cost no call; of the others each provider
// costs one.
func (d *Driver) isManaged(ctx context.Context, cluster state.ClusterKey, capacityProvider string) bool {
	if capacityProvider == "" {
		return false
	}
	is, _ := d.facts.remember(factKey{cluster, "capacity provider " + capacityProvider}, d.Now(), func() (bool, error) {
		api, err := d.describing(ctx, cluster)
		if err != nil {
			return false, err
		}
		out, err := api.DescribeCapacityProviders(ctx, &ecs.DescribeCapacityProvidersInput{CapacityProviders: []string{capacityProvider}})
		if err != nil {
			return false, fmt.Errorf("describing capacity provider %s: %w", capacityProvider, err)
		}
		return slices.ContainsFunc(out.CapacityProviders, func(p types.CapacityProvider) bool {
			return p.ManagedInstancesProvider != nil
		}), nil
	}, d.Log)
	return is
}
