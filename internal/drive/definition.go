package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

// definitionAge is how long a process believes that a task definition is ACTIVE, or is not. Deployment tools deregister
// old ones when they make new ones, and ECS tells nobody.
const definitionAge = 10 * time.Minute

// inactive are the task definitions of the target and the base that no task can be run from. A look at some hosts
// goes by what is remembered; one that could not be described counts as ACTIVE, and ECS refuses it if it is not.
func (d *Driver) inactive(ctx context.Context, s daemon.Snapshot) map[string]bool {
	if s.Deployment == nil || len(s.Environment.Clusters) == 0 || s.Environment.Status != daemon.EnvironmentActive {
		return nil
	}
	definitions := []string{s.Revision.TaskDefinition}
	if s.Base != nil && s.Base.TaskDefinition != s.Revision.TaskDefinition {
		definitions = append(definitions, s.Base.TaskDefinition)
	}
	inactive := map[string]bool{}
	for _, arn := range definitions {
		is, known := d.definitions.recall(arn, d.Now().Add(-definitionAge))
		if !known && s.Full {
			var err error
			if is, err = d.isInactive(ctx, regionOf(s.Environment.Clusters[0]), arn); err != nil {
				d.Log.Warn("a task definition is taken to be ACTIVE",
					"environment", s.Environment.Name, "taskDefinition", arn, "error", err)
				continue
			}
			d.definitions.remember(arn, is, d.Now())
		}
		if is {
			inactive[arn] = true
		}
	}
	return inactive
}

func (d *Driver) isInactive(ctx context.Context, place state.ClusterKey, arn string) (bool, error) {
	bucket := bucketOf(place, ecsapi.BucketTaskDefinition, ecsapi.TaskDefinitionShare)
	if wait, err := d.Daemon.TakeCallsTogether(ctx, bucket, 1, d.Now()); err != nil || wait > 0 {
		return false, errors.Join(err, outOfCalls{wait})
	}
	api, err := d.ECS(place.Account, place.Region)
	if err != nil {
		return false, err
	}
	out, err := api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &arn})
	var unknown *types.ClientException
	switch {
	case errors.As(err, &unknown):
		return true, nil // "Unable to describe task definition": it was deleted
	case err != nil:
		return false, fmt.Errorf("describing task definition %s: %w", arn, err)
	case out.TaskDefinition == nil:
		return false, fmt.Errorf("describing task definition %s: ECS answered without one", arn)
	}
	return out.TaskDefinition.Status != types.TaskDefinitionStatusActive, nil
}
