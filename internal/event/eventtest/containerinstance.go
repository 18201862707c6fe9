package eventtest

import "time"

// ContainerInstance builds an "ECS Container Instance State Change" event: an
// ACTIVE host with a connected agent, unless the options say otherwise.
func ContainerInstance(options ...Option) []byte {
	s := newSpec(DefaultInstanceID, options)
	arn := s.arnIn("container-instance", s.id)
	detail := map[string]any{
		"accountType":    "standard",
		"agentConnected": s.agentConnected,
		"attachments":    []any{},
		"attributes": []any{
			map[string]any{"name": "ecs.availability-zone", "value": s.region + "b"},
			map[string]any{"name": "ecs.instance-type", "value": "m8g.2xlarge"},
			map[string]any{"name": "ecs.os-type", "value": "linux"},
			map[string]any{"name": "ecs.capability.execution-role-awslogs"},
		},
		"clusterArn":           s.arn("cluster/" + s.cluster),
		"containerInstanceArn": arn,
		"ec2InstanceId":        s.ec2InstanceID,
		"pendingTasksCount":    0,
		"registeredAt":         timestamp(s.at.Add(-36 * time.Hour)),
		"registeredResources":  resources(8192, 31450),
		"remainingResources":   resources(7104, 28882),
		"runningTasksCount":    5,
		"status":               s.status,
		"updatedAt":            timestamp(s.at),
		"version":              s.version,
		"versionInfo": map[string]any{
			"agentHash": "a1b2c3d4", "agentVersion": "1.103.0", "dockerVersion": "DockerVersion: 27.5.1",
		},
	}
	return s.event("ECS Container Instance State Change", arn, detail)
}

func resources(cpu, memory int) []any {
	return []any{
		map[string]any{"name": "CPU", "type": "INTEGER", "integerValue": cpu},
		map[string]any{"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
		map[string]any{"name": "PORTS", "type": "STRINGSET", "stringSetValue": []string{"22", "2375", "2376", "51678", "51679"}},
		map[string]any{"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []string{}},
	}
}

// ContainerInstanceHealth builds an "ECS Container Instance Health Change"
// event, which has no version.
func ContainerInstanceHealth(options ...Option) []byte {
	s := newSpec(DefaultInstanceID, options)
	arn := s.arnIn("container-instance", s.id)
	detail := map[string]any{
		"clusterArn":           s.arn("cluster/" + s.cluster),
		"containerInstanceArn": arn,
		"ec2InstanceId":        s.ec2InstanceID,
		"overallStatus":        "IMPAIRED",
	}
	return s.event("ECS Container Instance Health Change", arn, detail)
}
