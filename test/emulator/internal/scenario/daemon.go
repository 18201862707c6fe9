package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecssim"
)

// daemons are the environment's tasks: the group of each begins so.
const daemons = "blox:*"

func (s *Scenario) definition() client.EnvironmentDefinition {
	percent, seconds := 50, 0
	return client.EnvironmentDefinition{
		Name: environment, InstanceGroup: &client.InstanceGroup{Cluster: cluster}, TaskDefinition: environment, ReadinessAttribute: readiness,
		DeploymentConfiguration: &client.DeploymentConfiguration{MinimumHealthyPercent: &percent, MinHealthySeconds: &seconds},
	}
}

// onePerHost says whether every host that is given has exactly one running daemon, and no other has.
func (s *Scenario) onePerHost(n int) (bool, string) {
	running := s.truth(daemons)
	hosts := map[string]bool{}
	for _, host := range running {
		hosts[host] = true
	}
	return len(running) == n && len(hosts) == n, fmt.Sprintf("%d daemons on %d hosts", len(running), len(hosts))
}

func (s *Scenario) deploy(ctx context.Context) error {
	bus, err := s.busName()
	if err != nil {
		return err
	}
	if s.bus, err = subscribe(ctx, s.host.Account, bus, s.host.Template.Region, s.host.Template.Account); err != nil {
		return err
	}
	created, err := s.operator.CreateEnvironment(ctx, s.definition())
	if err != nil {
		return fmt.Errorf("creating the environment: %w", err)
	}
	if _, err := s.operator.CreateDeployment(ctx, environment, created.DeploymentToken); err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	return s.completes(ctx, hosts)
}

// completes waits for a daemon on n hosts and the end of the deployment in force.
func (s *Scenario) completes(ctx context.Context, n int) error {
	return s.wait(ctx, fmt.Sprintf("a daemon on %d hosts and a completed deployment", n), func(ctx context.Context) (bool, string, error) {
		ok, seen := s.onePerHost(n)
		e, err := s.reader.GetEnvironment(ctx, environment)
		return ok && err == nil && e.DeploymentStatus == client.DeploymentCompleted && e.DeployedRevision == e.Revision && e.Health == "healthy",
			fmt.Sprintf("%s, the deployment is %s, the environment %s", seen, e.DeploymentStatus, e.Health), err
	})
}

func (s *Scenario) watchSawDaemons(ctx context.Context) error {
	return s.wait(ctx, "8 running daemons in the watch", func(context.Context) (bool, string, error) {
		seen := map[string]bool{}
		s.watch.seen(client.WatchUpdated, func(e client.TaskWatchEvent) bool {
			if e.Task != nil && matches(daemons, e.Task.Entity.Group) && e.Task.Entity.LastStatus == "RUNNING" {
				seen[e.ID] = true
			}
			return false
		})
		return len(seen) == hosts, fmt.Sprintf("%d daemons", len(seen)), s.watch.err()
	})
}

func (s *Scenario) announced(ctx context.Context) error {
	return s.wait(ctx, "the announcement of a completed deployment", func(ctx context.Context) (bool, string, error) {
		err := s.bus.poll(ctx)
		for _, a := range s.bus.received {
			if a.DetailType == "Blox Deployment State Change" && a.Detail.EnvironmentName == environment && a.Detail.Status == client.DeploymentCompleted {
				return true, "", err
			}
		}
		return false, fmt.Sprintf("%+v", s.bus.received), err
	})
}

// forwarded looks for each running daemon among the changes on the bus.
func (s *Scenario) forwarded(ctx context.Context) error {
	return s.wait(ctx, "the change of each daemon's task to RUNNING", func(ctx context.Context) (bool, string, error) {
		err := s.bus.poll(ctx)
		left := s.truth(daemons)
		for _, a := range s.bus.received {
			if a.DetailType == "Task State Change" && matches(daemons, a.Detail.Group) && a.Detail.LastStatus == "RUNNING" {
				delete(left, a.Detail.ARN)
			}
		}
		return len(left) == 0, fmt.Sprintf("without a change: %v", left), err
	})
}

// busName is the installation's own event bus.
func (s *Scenario) busName() (string, error) {
	buses := s.host.Template.OfType("AWS::Events::EventBus")
	if len(buses) != 1 {
		return "", fmt.Errorf("the stack has %d event buses: expected one", len(buses))
	}
	return buses[0].PhysicalID, nil
}

// aDaemon is one running daemon's task.
func (s *Scenario) aDaemon() (ecssim.TaskInfo, error) {
	var found ecssim.TaskInfo
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		for _, task := range sim.Snapshot().Tasks {
			if matches(daemons, task.Group) && task.LastStatus == "RUNNING" && task.DesiredStatus == "RUNNING" {
				found = task
			}
		}
	})
	if found.ARN == "" {
		return found, errors.New("no daemon runs")
	}
	return found, nil
}

func (s *Scenario) replace(ctx context.Context) error {
	victim, err := s.aDaemon()
	if err != nil {
		return err
	}
	if _, err := s.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: aws.String(cluster), Task: &victim.ARN, Reason: aws.String("test")}); err != nil {
		return err
	}
	return s.wait(ctx, "another daemon in its place", func(context.Context) (bool, string, error) {
		ok, seen := s.onePerHost(hosts)
		return ok && s.truth(daemons)[victim.ARN] == "", seen, nil
	})
}

// oldClaim leaves a claim behind whose RunTask never succeeded, older than ECS remembers its token.
func (s *Scenario) oldClaim(ctx context.Context) error {
	victim, err := s.aDaemon()
	if err != nil {
		return err
	}
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		sim.Faults().SetAnswers(ecssim.AnswerFaults{Refused: 1, Actions: []string{"RunTask"}})
	})
	defer s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().Clear() })
	if _, err := s.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: aws.String(cluster), Task: &victim.ARN}); err != nil {
		return err
	}
	e, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	before := s.calls("drive", "ListTasks")
	// An SDK in the middle of its retries would start the task the moment RunTask works again: so it works again only when
	// the claim has been asked about.
	if err := s.wait(ctx, "ListTasks by drive", func(ctx context.Context) (bool, string, error) {
		_, seen, err := s.age(ctx, e.ID)
		if err == nil {
			err = s.wake(ctx, e.ID)
		}
		return s.calls("drive", "ListTasks") > before, seen, err
	}); err != nil {
		return err
	}
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().Clear() })
	return s.wait(ctx, "a daemon in the place of the claim", func(ctx context.Context) (bool, string, error) {
		ok, seen := s.onePerHost(hosts)
		return ok, seen, s.wake(ctx, e.ID)
	})
}

// age makes a claim older than a replay is tried for.
func (s *Scenario) age(ctx context.Context, environmentID string) (bool, string, error) {
	name, err := s.host.Table("daemon")
	if err != nil {
		return false, "", err
	}
	db := s.host.Account.DynamoDB
	out, err := db.Query(ctx, &dynamodb.QueryInput{
		TableName: &name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :slot)"),
		ExpressionAttributeValues: map[string]dbtypes.AttributeValue{":pk": text("environment/" + environmentID), ":slot": text("slot/")},
	})
	if err != nil {
		return false, "", err
	}
	var states []string
	for _, slot := range out.Items {
		state, _ := slot["state"].(*dbtypes.AttributeValueMemberS)
		if state == nil || state.Value != string(daemon.SlotClaimed) {
			states = append(states, fmt.Sprint(state))
			continue
		}
		old := time.Now().Add(-daemon.DefaultSettings().ClaimMaxAge - time.Minute)
		_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &name, Key: map[string]dbtypes.AttributeValue{"pk": slot["pk"], "sk": slot["sk"]},
			UpdateExpression:         aws.String("SET claimedAt = :old, recordVersion = recordVersion + :one REMOVE retryAt, wakeAt"),
			ConditionExpression:      aws.String("#state = :claimed AND recordVersion = :version"),
			ExpressionAttributeNames: map[string]string{"#state": "state"},
			ExpressionAttributeValues: map[string]dbtypes.AttributeValue{
				":old": text(old.UTC().Format(time.RFC3339Nano)), ":claimed": text(string(daemon.SlotClaimed)),
				":one": &dbtypes.AttributeValueMemberN{Value: "1"}, ":version": slot["recordVersion"],
			},
		})
		if changed := (*dbtypes.ConditionalCheckFailedException)(nil); errors.As(err, &changed) {
			return false, "a driver was faster", nil
		}
		return err == nil, "a claim", err
	}
	return false, strings.Join(states, " "), nil
}

func text(s string) dbtypes.AttributeValue { return &dbtypes.AttributeValueMemberS{Value: s} }

func (s *Scenario) rollOut(ctx context.Context) error {
	if err := s.register(ctx, environment); err != nil {
		return err
	}
	updated, err := s.operator.PutEnvironment(ctx, environment, s.definition())
	if err != nil {
		return fmt.Errorf("updating the environment: %w", err)
	}
	if _, err := s.operator.CreateDeployment(ctx, environment, updated.DeploymentToken); err != nil {
		return fmt.Errorf("deploying the second revision: %w", err)
	}
	lowest := hosts
	if err := s.wait(ctx, "revision 2 on every host", func(context.Context) (bool, string, error) {
		n := len(s.truth(daemons))
		lowest = min(lowest, n)
		updated := 0
		s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
			for _, task := range sim.Snapshot().Tasks {
				if matches(daemons, task.Group) && task.LastStatus == "RUNNING" && strings.HasSuffix(task.TaskDefinitionARN, ":2") {
					updated++
				}
			}
		})
		return updated == hosts, fmt.Sprintf("%d of %d run revision 2", updated, n), nil
	}); err != nil {
		return err
	}
	if lowest < hosts/2 {
		return fmt.Errorf("only %d daemons were running at some moment: the minimum is %d", lowest, hosts/2)
	}
	return s.completes(ctx, hosts)
}

// lookEvery is how many polls lie between two ticks that come early.
const lookEvery = 20

func (s *Scenario) drain(ctx context.Context) error {
	web := map[string]bool{}
	for _, host := range s.truth("service:web") {
		web[host] = true
	}
	var victim ecssim.TaskInfo
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		for _, task := range sim.Snapshot().Tasks {
			if matches(daemons, task.Group) && task.LastStatus == "RUNNING" && web[task.EC2InstanceID] {
				victim = task
			}
		}
	})
	if victim.ARN == "" {
		return errors.New("no host has both a daemon and a task of the service")
	}
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		sim.Faults().SetImage("example.com/web:1", ecssim.ImageFault{IgnoreStop: true})
	})
	defer s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().ClearImage("example.com/web:1") })
	if _, err := s.ecs.UpdateContainerInstancesState(ctx, &ecs.UpdateContainerInstancesStateInput{
		Cluster: aws.String(cluster), ContainerInstances: []string{victim.ContainerInstanceARN}, Status: types.ContainerInstanceStatusDraining,
	}); err != nil {
		return err
	}
	e, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	polls := 0
	return s.wait(ctx, "an empty host", func(ctx context.Context) (bool, string, error) {
		// The tick would look again after a minute at most: it comes early here.
		if polls++; polls%lookEvery == 0 {
			_, planErr := s.operator.PlanEnvironment(ctx, environment, nil) // which looks at the host's other tasks
			if err := errors.Join(planErr, s.host.Due(ctx, "drive"), s.wake(ctx, e.ID)); err != nil {
				return false, "", err
			}
		}
		var web, daemon int
		s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
			for _, task := range sim.Snapshot().Tasks {
				switch {
				case task.ContainerInstanceARN != victim.ContainerInstanceARN || task.LastStatus == "STOPPED":
				case matches(daemons, task.Group):
					daemon++
				default:
					web++
				}
			}
		})
		if web > 0 && daemon == 0 {
			return false, "", errors.New("the daemon left before the other tasks")
		}
		return web+daemon == 0, fmt.Sprintf("%d daemons and %d other tasks", daemon, web), nil
	})
}

func (s *Scenario) hostsComeAndGo(ctx context.Context) error {
	var gone string
	var err error
	s.host.Simulator.Do(func(sim *ecssim.Simulator, now time.Time) {
		sim.AddHost(now, cluster, ecssim.HostSpec{CPU: 4096, Memory: 15616})
		for _, h := range sim.Snapshot().Hosts {
			if h.Status == "DRAINING" {
				gone = h.ID
				err = sim.RemoveHost(now, cluster, h.EC2InstanceID)
			}
		}
	})
	if err != nil || gone == "" {
		return errors.Join(errors.New("terminating the drained host"), err)
	}
	return s.wait(ctx, "8 active hosts with a daemon each", func(ctx context.Context) (bool, string, error) {
		ok, seen := s.onePerHost(hosts)
		active, err := collect(s.reader.ListInstances(ctx, client.InstanceFilter{Cluster: cluster, Status: "ACTIVE"}))
		return ok && len(active) == hosts, fmt.Sprintf("%s, %d active hosts", seen, len(active)), err
	})
}

func (s *Scenario) remove(ctx context.Context) error {
	terminate := true
	if err := s.operator.DeleteEnvironment(ctx, environment, &terminate); err != nil {
		return err
	}
	return s.wait(ctx, "no daemon and no environment", func(ctx context.Context) (bool, string, error) {
		if err := s.host.Due(ctx, "drive"); err != nil {
			return false, "", err
		}
		left := len(s.truth(daemons))
		environments, err := collect(s.reader.ListEnvironments(ctx, ""))
		if err != nil || left > 0 || len(environments) > 0 {
			return false, fmt.Sprintf("%d daemons, %d environments", left, len(environments)), err
		}
		deleted, err := s.reader.GetDeletedEnvironment(ctx, environment)
		return err == nil && deleted.Status == client.EnvironmentDeleted && deleted.DeletedAt != nil, deleted.Status, err
	})
}
