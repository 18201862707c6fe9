package eventtest

import (
	"strings"
	"time"
)

// Task builds an "ECS Task State Change" event: a RUNNING task of one container
// on a container instance, unless the options say otherwise.
func Task(options ...Option) []byte {
	s := newSpec(DefaultTaskID, options)
	arn := s.arnIn("task", s.id)
	family, _, _ := strings.Cut(s.taskDefinition, ":")
	container := map[string]any{
		"containerArn":      s.arnIn("container", s.id+"/main"),
		"taskArn":           arn,
		"name":              family,
		"image":             s.account + ".dkr.ecr." + s.region + ".amazonaws.com/" + family + ":4.2.0",
		"lastStatus":        s.lastStatus,
		"networkInterfaces": []any{},
		"cpu":               "64",
		"memory":            "128",
	}
	detail := map[string]any{
		"attachments":       []any{},
		"availabilityZone":  s.region + "b",
		"clusterArn":        s.arn("cluster/" + s.cluster),
		"containers":        []any{container},
		"cpu":               "64",
		"memory":            "128",
		"createdAt":         timestamp(s.at.Add(-10 * time.Second)),
		"desiredStatus":     s.desired(),
		"group":             s.group,
		"lastStatus":        s.lastStatus,
		"launchType":        "EC2",
		"overrides":         map[string]any{"containerOverrides": []any{map[string]any{"name": family}}},
		"startedBy":         s.startedBy,
		"taskArn":           arn,
		"taskDefinitionArn": s.arn("task-definition/" + s.taskDefinition),
		"updatedAt":         timestamp(s.at),
		"version":           s.version,
	}
	if s.containerInstance != "" {
		detail["containerInstanceArn"] = s.arnIn("container-instance", s.containerInstance)
	}
	s.addLife(detail, container)
	return s.event("ECS Task State Change", arn, detail)
}

// desired is what a task is wanted to be when it is in a state: every state
// after RUNNING comes from wanting it stopped.
func (s *spec) desired() string {
	if s.desiredStatus != "" {
		return s.desiredStatus
	}
	switch s.lastStatus {
	case "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED":
		return "STOPPED"
	default:
		return "RUNNING"
	}
}

// addLife adds what a task has only from some state on.
func (s *spec) addLife(detail, container map[string]any) {
	switch s.lastStatus {
	case "PROVISIONING", "PENDING":
		return
	}
	detail["connectivity"] = "CONNECTED"
	detail["connectivityAt"] = timestamp(s.at.Add(-9 * time.Second))
	detail["pullStartedAt"] = timestamp(s.at.Add(-8 * time.Second))
	detail["pullStoppedAt"] = timestamp(s.at.Add(-6 * time.Second))
	container["runtimeId"] = s.id + "-0123456789"
	if s.lastStatus == "ACTIVATING" {
		return
	}
	detail["startedAt"] = timestamp(s.at.Add(-5 * time.Second))
	if s.desired() != "STOPPED" {
		return
	}
	detail["stoppingAt"] = timestamp(s.at.Add(-3 * time.Second))
	detail["stopCode"] = "UserInitiated"
	detail["stoppedReason"] = "Task stopped by user"
	if s.lastStatus == "STOPPED" || s.lastStatus == "DELETED" {
		detail["executionStoppedAt"] = timestamp(s.at.Add(-time.Second))
		detail["stoppedAt"] = timestamp(s.at)
		container["exitCode"] = 0
	}
}

// timestamp writes a time as ECS does: in UTC, without closing zeros.
func timestamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
