package event

import (
	"fmt"

	"github.com/blox/blox/internal/state"
)

// parser reads the detail of one type of event into the event.
type parser func(envelope, *Event) error

// parsers has every detail-type that ECS sends. Those mapped to ignore concern
// services, deployments and managed daemons, which are no part of cluster state,
// and API calls, which a rule that matches only on the source lets through.
var parsers = map[string]parser{
	"ECS Task State Change":                parseTask,
	"ECS Container Instance State Change":  parseContainerInstance,
	"ECS Container Instance Health Change": parseInstanceHealth,
	"ECS Service Action":                   ignore,
	"ECS Deployment State Change":          ignore,
	"ECS Hook State Change":                ignore,
	"ECS Daemon Deployment State Change":   ignore,
	"ECS Daemon Service Action":            ignore,
	"AWS API Call via CloudTrail":          ignore,
	"AWS Service Event via CloudTrail":     ignore,
}

// Parse reads one event as EventBridge delivers it. It never keeps a part of
// raw. Every error is an *InvalidError: the event will not get better by trying
// it again. With it comes an event of which nothing is set but ID and Time, as
// far as they can be read, so that whoever looks for the event can find it.
func Parse(raw []byte) (Event, error) {
	env, err := parseEnvelope(raw)
	event := Event{
		ID:         env.ID,
		DetailType: env.DetailType,
		Account:    env.Account,
		Region:     env.Region,
		Resources:  env.Resources,
	}
	if env.Time != nil {
		event.Time = env.Time.UTC()
	}
	if err == nil {
		err = parseDetail(env, &event)
	}
	if err != nil {
		return Event{ID: event.ID, Time: event.Time}, err
	}
	return event, nil
}

func parseDetail(env envelope, event *Event) error {
	parse, ok := parsers[env.DetailType]
	if !ok {
		return invalid(ReasonUnknownDetailType, fmt.Sprintf(
			"detail-type %q, allowed are those of Amazon ECS, such as %q", shorten(env.DetailType), "ECS Task State Change"))
	}
	return parse(env, event)
}

func ignore(envelope, *Event) error { return nil }

func parseTask(env envelope, event *Event) error {
	var task state.Task
	if err := decodeDetail(env, &task); err != nil {
		return err
	}
	about := subject{kind: state.KindTask, clusterARN: task.ClusterARN, arn: task.TaskARN}
	key, err := about.key(env, event)
	if err != nil {
		return err
	}
	if err := checkTaskReferences(task, key); err != nil {
		return err
	}
	if err := checkKeyParts(
		keyPart{"lastStatus", task.LastStatus, maxStatusBytes}, keyPart{"desiredStatus", task.DesiredStatus, maxStatusBytes},
		keyPart{"startedBy", task.StartedBy, maxStartedByBytes}, keyPart{"group", task.Group, maxGroupBytes},
	); err != nil {
		return err
	}
	return event.observe(observed{
		key: key, arn: task.TaskARN, version: task.Version, updatedAt: task.UpdatedAt, detail: env.Detail,
		complete: task.LastStatus != "" && task.DesiredStatus != "", required: "lastStatus and desiredStatus",
	})
}

// checkTaskReferences looks at the other ARNs of a task, for readers take them
// apart without asking again.
func checkTaskReferences(task state.Task, key state.Key) error {
	if task.TaskDefinitionARN != "" {
		if err := checkARN("taskDefinitionArn", task.TaskDefinitionARN, state.ARNTaskDefinition); err != nil {
			return err
		}
	}
	if task.ContainerInstanceARN == "" {
		return nil
	}
	if err := checkARN("containerInstanceArn", task.ContainerInstanceARN, state.ARNContainerInstance); err != nil {
		return err
	}
	if _, err := state.KeyOf(state.KindContainerInstance, task.ClusterARN, task.ContainerInstanceARN); err != nil {
		return invalid(ReasonClusterMismatch, fmt.Sprintf("containerInstanceArn of task %s: %v", key, err))
	}
	return nil
}

func parseContainerInstance(env envelope, event *Event) error {
	var instance state.ContainerInstance
	if err := decodeDetail(env, &instance); err != nil {
		return err
	}
	about := subject{
		kind: state.KindContainerInstance, clusterARN: instance.ClusterARN, arn: instance.ContainerInstanceARN,
	}
	key, err := about.key(env, event)
	if err != nil {
		return err
	}
	if err := checkKeyParts(
		keyPart{"status", instance.Status, maxStatusBytes},
		keyPart{"ec2InstanceId", instance.EC2InstanceID, maxEC2InstanceIDBytes},
	); err != nil {
		return err
	}
	return event.observe(observed{
		key: key, arn: instance.ContainerInstanceARN, version: instance.Version,
		updatedAt: instance.UpdatedAt, detail: env.Detail,
		complete: instance.Status != "", required: "status",
	})
}

// parseInstanceHealth makes a hint of a health change: it has no version, so it
// cannot be ordered against what is stored.
func parseInstanceHealth(env envelope, event *Event) error {
	// Only the ARNs are read. The detail has another shape than a container
	// instance, and nothing of it is stored.
	var detail struct {
		ClusterARN           string `json:"clusterArn"`
		ContainerInstanceARN string `json:"containerInstanceArn"`
	}
	if err := decodeDetail(env, &detail); err != nil {
		return err
	}
	// The agent behind a Fargate task has no container instance that could be
	// described.
	if detail.ContainerInstanceARN == "" {
		return nil
	}
	about := subject{kind: state.KindContainerInstance, clusterARN: detail.ClusterARN, arn: detail.ContainerInstanceARN}
	key, err := about.key(env, event)
	if err != nil {
		return err
	}
	event.hint(key)
	return nil
}
