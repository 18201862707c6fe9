package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
)

const (
	// readiness is the attribute that hosts carry while their daemon is well.
	readiness = "blox." + environment
	// errorsAlarm is what deployments are watched by.
	errorsAlarm = environment + "-errors"
	canaries    = 2
)

// watched is a definition that finds its clusters by a pattern, runs a copy of the task definition, begins with two hosts,
// and is watched by an alarm.
func (s *Scenario) watched() client.EnvironmentDefinition {
	d := s.definition()
	d.InstanceGroup, d.ClusterPattern, d.CopyTaskDefinition = nil, "edg?", true
	d.DeploymentConfiguration.Canary = &client.Canary{Hosts: client.Amount(fmt.Sprint(canaries))}
	d.DeploymentConfiguration.Alarms = []string{errorsAlarm}
	return d
}

// running counts the running daemons by family and revision of their task definition.
func (s *Scenario) running() map[string]int {
	counts := map[string]int{}
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		for _, task := range sim.Snapshot().Tasks {
			if matches(daemons, task.Group) && task.LastStatus == "RUNNING" && task.DesiredStatus == "RUNNING" {
				counts[task.TaskDefinitionARN[strings.LastIndexByte(task.TaskDefinitionARN, '/')+1:]]++
			}
		}
	})
	return counts
}

// plan asks what would be done, as the environment is and as it might be, which does nothing.
func (s *Scenario) plan(ctx context.Context) error {
	before, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	steady, err := s.operator.PlanEnvironment(ctx, environment, nil)
	if err != nil {
		return err
	}
	if changing(steady) > 0 {
		return fmt.Errorf("the plan of an environment in which all is well has actions: %+v", steady.Actions)
	}
	d := s.watched()
	d.CopyTaskDefinition, d.DeploymentConfiguration.Canary, d.DeploymentConfiguration.Alarms = false, nil, nil
	d.Tags = map[string]string{"team": "edge"}
	whatIf, err := s.operator.PlanEnvironment(ctx, environment, &d)
	if err != nil {
		return err
	}
	if changing(whatIf) == 0 || whatIf.Forecast.Counts.Updated != hosts || whatIf.Forecast.DeploymentStatus != client.DeploymentCompleted {
		return fmt.Errorf("the plan of another definition does not end with %d updated hosts: %+v", hosts, whatIf)
	}
	var dry client.Plan
	if _, err := s.operator.PutEnvironment(ctx, environment, d, client.WithDryRun(&dry)); err != nil {
		return fmt.Errorf("an update that is only tried: %w", err)
	}
	after, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	if after.Revision != before.Revision || after.DeploymentID != before.DeploymentID {
		return fmt.Errorf("a plan changed the environment: from %+v to %+v", before, after)
	}
	return nil
}

// changing counts what would change something in ECS.
func changing(p client.Plan) int {
	return len(slices.DeleteFunc(slices.Clone(p.Actions), func(a client.PlannedAction) bool {
		return !slices.Contains([]string{"start", "surge", "stop", "stopFormer", "setAttribute", "deleteAttribute", "handOver"}, a.Kind)
	}))
}

// ready looks for the readiness attribute on every host, where services find it and where people do.
func (s *Scenario) ready(ctx context.Context) error {
	return s.wait(ctx, "the attribute "+readiness+" on every host", func(ctx context.Context) (bool, string, error) {
		listed, err := s.ecs.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{
			Cluster: aws.String(cluster), Filter: aws.String("attribute:" + readiness + " == ready"),
		})
		if err != nil {
			return false, "", err
		}
		states, err := collect(s.reader.ListHosts(ctx, environment))
		told := 0
		for _, h := range states {
			if h.State == "healthy" && h.ReadinessAttribute == readiness {
				told++
			}
		}
		return len(listed.ContainerInstanceArns) == hosts && told == hosts,
			fmt.Sprintf("%d hosts with it in ECS, %d in the API", len(listed.ContainerInstanceArns), told), err
	})
}

// becomes waits until the deployment in force is so.
func (s *Scenario) becomes(ctx context.Context, what string, is func(client.Deployment) bool) error {
	return s.wait(ctx, "a deployment that is "+what, func(ctx context.Context) (bool, string, error) {
		e, err := s.reader.GetEnvironment(ctx, environment)
		if err != nil {
			return false, "", err
		}
		dep, err := s.reader.GetDeployment(ctx, environment, e.DeploymentID)
		seen := fmt.Sprintf("%s %s %s %+v", dep.Status, dep.PausedFor, dep.Reason, dep.Counts)
		return err == nil && is(dep), seen, err
	})
}

func waitsForPromotion(d client.Deployment) bool {
	return d.Status == client.DeploymentPaused && d.PausedFor == client.PausedByCanary
}

func (s *Scenario) deployWatched(ctx context.Context, d client.EnvironmentDefinition) error {
	updated, err := s.operator.PutEnvironment(ctx, environment, d)
	if err != nil {
		return fmt.Errorf("updating the environment: %w", err)
	}
	_, err = s.operator.CreateDeployment(ctx, environment, updated.DeploymentToken)
	return err
}

func (s *Scenario) canary(ctx context.Context) error {
	s.host.CloudWatch.SetAlarm(errorsAlarm, "OK")
	if err := s.deployWatched(ctx, s.watched()); err != nil {
		return err
	}
	if err := s.becomes(ctx, "paused for its canaries", waitsForPromotion); err != nil {
		return err
	}
	copied := "blox-" + environment + ":1"
	if now := s.running(); now[copied] != canaries {
		return fmt.Errorf("%d hosts were to get the copy first: %v", canaries, now)
	}
	// What a plan of a deployment under way looks at, the alarm included.
	if _, err := s.operator.PlanEnvironment(ctx, environment, nil); err != nil {
		return err
	}
	if _, err := s.operator.PauseDeployment(ctx, environment, "lunch"); err != nil {
		return err
	}
	if err := s.becomes(ctx, "paused by people", func(d client.Deployment) bool {
		return d.Status == client.DeploymentPaused && d.PausedFor == client.PausedByPeople
	}); err != nil {
		return err
	}
	if _, err := s.operator.ResumeDeployment(ctx, environment, ""); err != nil {
		return err
	}
	if err := s.becomes(ctx, "paused for its canaries again", waitsForPromotion); err != nil {
		return err
	}
	if _, err := s.operator.PromoteDeployment(ctx, environment, "they are well"); err != nil {
		return err
	}
	if err := s.completes(ctx, hosts); err != nil {
		return err
	}
	if now, want := s.running(), (map[string]int{copied: hosts}); !maps.Equal(now, want) {
		return fmt.Errorf("after the promotion there run %v, expected %v", now, want)
	}
	return nil
}

// alarm lets the canaries of a bad revision begin, and turns it back by the alarm alone.
func (s *Scenario) alarm(ctx context.Context) error {
	d := s.watched()
	d.Tags = map[string]string{"team": "edge"}
	if err := s.deployWatched(ctx, d); err != nil {
		return err
	}
	if err := s.becomes(ctx, "paused for its canaries", waitsForPromotion); err != nil {
		return err
	}
	s.host.CloudWatch.SetAlarm(errorsAlarm, "ALARM")
	defer s.host.CloudWatch.SetAlarm(errorsAlarm, "OK")
	e, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	if err := s.wait(ctx, "a rollback", func(ctx context.Context) (bool, string, error) {
		// The tick would look again after a minute at most: it comes early here.
		dep, err := s.reader.GetDeployment(ctx, environment, e.DeploymentID)
		if err != nil || dep.Status == client.DeploymentRollingBack || dep.Status == client.DeploymentRolledBack {
			return err == nil, "", err
		}
		return false, dep.Status, s.wake(ctx, e.ID)
	}); err != nil {
		return err
	}
	if err := s.becomes(ctx, "rolled back", func(d client.Deployment) bool {
		return d.Status == client.DeploymentRolledBack && d.RollbackTo == d.Revision-1 && strings.Contains(d.Reason, errorsAlarm)
	}); err != nil {
		return err
	}
	if ok, seen := s.onePerHost(hosts); !ok {
		return fmt.Errorf("after the rollback there are %s", seen)
	}
	return nil
}

// rollBack brings back the revision before the last good one, which is a deployment of its own, and one answer for each
// repetition of the call.
func (s *Scenario) rollBack(ctx context.Context) error {
	const token = "0f5d0c3e-6f0b-4a55-9d59-0c9a3f4f6c11"
	const older = 2
	first, err := s.operator.RollBackEnvironment(ctx, environment, older, token)
	if err != nil {
		return err
	}
	again, err := s.operator.RollBackEnvironment(ctx, environment, older, token)
	if err != nil || again.ID != first.ID {
		return fmt.Errorf("the same token gave deployments %s and %s: %w", first.ID, again.ID, err)
	}
	if err := s.becomes(ctx, "completed", func(d client.Deployment) bool {
		return d.ID == first.ID && d.Status == client.DeploymentCompleted
	}); err != nil {
		return err
	}
	if now, want := s.running(), (map[string]int{environment + ":2": hosts}); !maps.Equal(now, want) {
		return fmt.Errorf("after the rollback there run %v, expected %v", now, want)
	}
	return nil
}
