package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/wakeup"
)

// calls counts what a function has asked of AWS so far.
func (s *Scenario) calls(function, action string) int {
	calls, err := s.host.Proxy.Calls()
	if err != nil {
		return 0 // the judgement of permissions reports it
	}
	n := 0
	for _, c := range calls {
		if c.Function == function && c.Action == action && !c.Poller {
			n++
		}
	}
	return n
}

// wake sends a wake-up for everything of an environment, as dispatch does.
func (s *Scenario) wake(ctx context.Context, environmentID string) error {
	url, err := s.host.Queue(ctx, "WakeupQueueUrl")
	if err != nil {
		return err
	}
	return wakeup.Send(ctx, queue.NewSQS(s.host.Account.SQS, url), 0, wakeup.Wakeup{EnvironmentID: environmentID})
}

func (s *Scenario) putEvent(ctx context.Context, detailType, resource, detail string) error {
	return s.putEventAt(ctx, detailType, resource, detail, time.Now())
}

func (s *Scenario) putEventAt(ctx context.Context, detailType, resource, detail string, at time.Time) error {
	out, err := s.host.Account.EventBridge.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		Source: aws.String("aws.ecs"), DetailType: &detailType, Detail: &detail, Resources: []string{resource}, Time: &at,
	}}})
	if err != nil {
		return err
	}
	if out.FailedEntryCount > 0 {
		return fmt.Errorf("the bus refused the event: %s", aws.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}

func (s *Scenario) hint(ctx context.Context) error {
	var arn, clusterARN string
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		arn, clusterARN = sim.Snapshot().Hosts[0].ARN, sim.Snapshot().Hosts[0].ClusterARN
	})
	before := s.calls("reconcile", "DescribeContainerInstances")
	detail := fmt.Sprintf(`{"clusterArn":%q,"containerInstanceArn":%q,"healthStatus":{"overallStatus":"OK"}}`, clusterARN, arn)
	if err := s.putEvent(ctx, "ECS Container Instance Health Change", arn, detail); err != nil {
		return err
	}
	return s.wait(ctx, "a DescribeContainerInstances by reconcile", func(context.Context) (bool, string, error) {
		n := s.calls("reconcile", "DescribeContainerInstances")
		return n > before, fmt.Sprintf("%d calls, %d before", n, before), nil
	})
}

func (s *Scenario) malformed(ctx context.Context) error {
	if err := s.putEvent(ctx, "ECS Task State Change", "arn:aws:ecs:us-east-1:123456789012:task/edge/none", `{"version":"not a number"}`); err != nil {
		return err
	}
	return s.arrives(ctx, "EventsDeadLettersUrl", func(m received) error {
		if m.reason == "" {
			return errors.New("the message has no attribute reason")
		}
		return nil
	})
}

func (s *Scenario) poison(ctx context.Context) error {
	queue, err := s.host.Queue(ctx, "WakeupQueueUrl")
	if err != nil {
		return err
	}
	const body = "this is no wake-up"
	if err := s.host.Account.Send(ctx, queue, body); err != nil {
		return err
	}
	return s.arrives(ctx, "WakeupsDeadLettersUrl", func(m received) error {
		if m.body != body {
			return fmt.Errorf("another message was set aside: %s", m.body)
		}
		return nil
	})
}

type received struct{ body, reason string }

// arrives waits for a message in a queue that the stack's outputs name.
func (s *Scenario) arrives(ctx context.Context, output string, check func(received) error) error {
	queue, err := s.host.Queue(ctx, output)
	if err != nil {
		return err
	}
	return s.wait(ctx, "a message in the queue of "+output, func(ctx context.Context) (bool, string, error) {
		out, err := s.host.Account.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queue, MessageAttributeNames: []string{"All"}})
		if err != nil || len(out.Messages) == 0 {
			return false, "none", err
		}
		m := out.Messages[0]
		r := received{body: aws.ToString(m.Body), reason: aws.ToString(m.MessageAttributes["reason"].StringValue)}
		if err := check(r); err != nil {
			return false, "", err
		}
		_, err = s.host.Account.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle})
		return true, "", err
	})
}

// streamFailure puts a row into the state table that no version of Blox has written.
func (s *Scenario) streamFailure(ctx context.Context) error {
	name, err := s.host.Table("state")
	if err != nil {
		return err
	}
	key := map[string]dbtypes.AttributeValue{
		"pk": &dbtypes.AttributeValueMemberS{Value: s.host.Template.Account + "/" + s.host.Template.Region + "/unreadable/task/0"},
		"sk": &dbtypes.AttributeValueMemberS{Value: "unreadable"},
	}
	item := map[string]dbtypes.AttributeValue{"pk": key["pk"], "sk": key["sk"], "version": &dbtypes.AttributeValueMemberS{Value: "no number"}}
	if _, err := s.host.Account.DynamoDB.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
		return err
	}
	if err := s.arrives(ctx, "StreamFailuresUrl", func(received) error { return nil }); err != nil {
		return err
	}
	if _, err := s.host.Account.DynamoDB.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &name, Key: key}); err != nil {
		return err
	}
	// What comes after it is worked on: the stream does not stand still.
	return s.replace(ctx)
}

// queries asks for what people and programs ask for, so that every index and every path is used.
func (s *Scenario) queries(ctx context.Context) error {
	e, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	one, err := s.aDaemon()
	if err != nil {
		return err
	}
	for what, filter := range map[string]client.TaskFilter{
		"all tasks": {}, "running": {Status: "running"}, "of the cluster": {Cluster: cluster}, "stopped": {Cluster: cluster, Status: "stopped"},
		"of a group": {Group: e.Group}, "of a family": {Family: environment}, "started by": {StartedBy: one.StartedBy},
		"of a host":         {Cluster: cluster, ContainerInstance: one.ContainerInstanceARN},
		"running on a host": {Cluster: cluster, ContainerInstance: one.ContainerInstanceARN, Status: "running"}, "to be stopped": {DesiredStatus: "STOPPED"},
		"of a service": {Cluster: cluster, Service: "web"}, "of a revision": {Cluster: cluster, TaskDefinition: environment + ":1"},
		"of a launch type": {LaunchType: "ec2"}, "of an image": {Cluster: cluster, Image: "example.com/web:1"},
		"stopped of late": {StoppedSince: time.Now().Add(-time.Hour)}, "searched": {Search: environment},
	} {
		tasks, err := collect(s.reader.ListTasks(ctx, filter))
		if err != nil {
			return fmt.Errorf("tasks %s: %w", what, err)
		}
		if len(tasks) == 0 {
			return fmt.Errorf("tasks %s: none", what)
		}
	}
	if _, err := s.reader.GetTask(ctx, cluster, one.ARN); err != nil {
		return fmt.Errorf("a task by its ARN: %w", err)
	}
	if _, err := s.reader.GetInstance(ctx, cluster, one.ContainerInstanceARN); err != nil {
		return fmt.Errorf("a container instance by its ARN: %w", err)
	}
	if err := s.sorted(ctx); err != nil {
		return err
	}
	if err := s.instanceQueries(ctx, one.EC2InstanceID); err != nil {
		return err
	}
	deployments, err := collect(s.reader.ListDeployments(ctx, environment))
	if err != nil || len(deployments) < 2 {
		return fmt.Errorf("the deployments: %d, expected at least 2: %w", len(deployments), err)
	}
	if _, err := s.reader.GetDeployment(ctx, environment, deployments[0].ID); err != nil {
		return fmt.Errorf("a deployment: %w", err)
	}
	if lines, err := s.reader.ListTimeline(ctx, environment, deployments[0].ID, 10); err != nil || len(lines) == 0 {
		return fmt.Errorf("the timeline: %d entries: %w", len(lines), err)
	}
	clusters, err := collect(s.reader.ListClusters(ctx))
	if err != nil || len(clusters) != 1 {
		return fmt.Errorf("the clusters: %d, expected 1: %w", len(clusters), err)
	}
	if version, err := s.reader.Version(ctx); err != nil || version.Version == "" {
		return fmt.Errorf("the version: %+v: %w", version, err)
	}
	in, err := collect(s.reader.ListEnvironments(ctx, cluster))
	if err != nil || len(in) != 1 {
		return fmt.Errorf("the environments of the cluster: %d, expected 1: %w", len(in), err)
	}
	return s.host.Due(ctx, "drive")
}

// late puts events on the bus that took minutes, and months.
func (s *Scenario) late(ctx context.Context) error {
	const vanished, minutesAgo, monthsAgo = "vanished", "00000000000000000000000000000001", "00000000000000000000000000000002"
	if err := s.putOldEvent(ctx, vanished, minutesAgo, 5*time.Minute); err != nil {
		return err
	}
	if err := s.wait(ctx, "a late event's task", func(ctx context.Context) (bool, string, error) {
		_, err := s.reader.GetTask(ctx, vanished, minutesAgo)
		return err == nil, "", err
	}); err != nil {
		return err
	}
	before := s.calls("reconcile", "DescribeTasks")
	if err := s.putOldEvent(ctx, cluster, monthsAgo, 90*24*time.Hour); err != nil {
		return err
	}
	if err := s.wait(ctx, "a look at ECS because of an event older than any tombstone", func(context.Context) (bool, string, error) {
		return s.calls("reconcile", "DescribeTasks") > before, "", nil
	}); err != nil {
		return err
	}
	if _, err := s.reader.GetTask(ctx, cluster, monthsAgo); client.StatusOf(err) != http.StatusNotFound {
		return fmt.Errorf("an event of three months ago must not bring its task to life: expected the status 404, got: %w", err)
	}
	if err := s.host.Due(ctx, "reconcile"); err != nil {
		return err
	}
	return s.wait(ctx, "a look for the cluster that is not listed", func(context.Context) (bool, string, error) {
		return s.calls("reconcile", "DescribeClusters") > 0, "", nil
	})
}

// putOldEvent puts the event of a stopped task of that id on the bus, as of some time ago.
func (s *Scenario) putOldEvent(ctx context.Context, cluster, id string, ago time.Duration) error {
	arn, detail, at, err := s.oldTask(cluster, id, ago)
	if err != nil {
		return err
	}
	return s.putEventAt(ctx, "ECS Task State Change", arn, string(detail), at)
}

// oldTask is a task of that id that stopped some time ago, as an event tells of it.
func (s *Scenario) oldTask(cluster, id string, ago time.Duration) (arn string, detail []byte, at time.Time, err error) {
	at = time.Now().Add(-ago).UTC().Truncate(time.Second)
	prefix := fmt.Sprintf("arn:%s:ecs:%s:%s:", s.host.Template.Partition, s.host.Template.Region, s.host.Template.Account)
	arn = prefix + "task/" + cluster + "/" + id
	detail, err = json.Marshal(map[string]any{
		"taskArn": arn, "clusterArn": prefix + "cluster/" + cluster, "taskDefinitionArn": prefix + "task-definition/web:1", "group": "service:web",
		"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "version": 9, "launchType": "EC2", "containers": []any{},
		"createdAt": at, "updatedAt": at, "stoppedAt": at, "stoppedReason": "test",
	})
	return arn, detail, at, err
}

// metrics asks for those that alarms are made of.
func (s *Scenario) metrics(context.Context) error {
	for _, name := range []string{"EventLagMillis", "EventsStored", "EventsSetAside", "ClustersUnsynced", "DriftRepaired", "RecordsMissed", "HeldAbsent", "HostsWithoutHealthyDaemon", "DeploymentsEnded", "DeploymentsFailed", "HostsWithOnlyDaemons"} {
		if len(s.host.Metrics.Values(name)) == 0 {
			return fmt.Errorf("no function wrote the metric %s", name)
		}
	}
	if slices.Max(s.host.Metrics.Values("DriftRepaired")) == 0 {
		return errors.New("the metric DriftRepaired never told of the lost events")
	}
	return nil
}
