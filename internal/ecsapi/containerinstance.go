package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

// ContainerInstanceOf translates a described container instance. The result
// encodes to JSON in the shape of an event's detail. The API, unlike events,
// does not say which cluster it is of.
func ContainerInstanceOf(c types.ContainerInstance, cluster state.ClusterKey) state.ContainerInstance {
	instance := state.ContainerInstance{
		ContainerInstanceARN: aws.ToString(c.ContainerInstanceArn),
		ClusterARN:           cluster.ARN(""),
		EC2InstanceID:        aws.ToString(c.Ec2InstanceId),
		Version:              c.Version,
		Status:               aws.ToString(c.Status),
		StatusReason:         aws.ToString(c.StatusReason),
		AgentConnected:       c.AgentConnected,
		AgentUpdateStatus:    string(c.AgentUpdateStatus),
		PendingTasksCount:    &c.PendingTasksCount,
		RunningTasksCount:    &c.RunningTasksCount,
		Attachments:          each(c.Attachments, attachment),
		Attributes:           each(c.Attributes, attribute),
		RegisteredResources:  each(c.RegisteredResources, resource),
		RemainingResources:   each(c.RemainingResources, resource),
		RegisteredAt:         c.RegisteredAt,
		CapacityProviderName: aws.ToString(c.CapacityProviderName),
		HealthStatus:         instanceHealth(c.HealthStatus),
		GPUDevices:           each(c.GpuDevices, gpuDevice),
		Tags:                 each(c.Tags, tag),
	}
	if v := c.VersionInfo; v != nil {
		instance.VersionInfo = &state.VersionInfo{
			AgentHash: aws.ToString(v.AgentHash), AgentVersion: aws.ToString(v.AgentVersion), DockerVersion: aws.ToString(v.DockerVersion),
		}
	}
	return instance
}

// resource keeps the value its type names. The API fills the others with zeros,
// which events do not, and a difference in form alone would cost a write; a
// value that is not zero is kept whatever the type says.
func resource(r types.Resource) state.Resource {
	kind := aws.ToString(r.Type)
	out := state.Resource{Name: aws.ToString(r.Name), Type: kind, StringSetValue: r.StringSetValue}
	if kind == "INTEGER" || r.IntegerValue != 0 {
		out.IntegerValue = aws.Int64(int64(r.IntegerValue))
	}
	if kind == "LONG" || r.LongValue != 0 {
		out.LongValue = aws.Int64(r.LongValue)
	}
	if kind == "DOUBLE" || r.DoubleValue != 0 {
		out.DoubleValue = aws.Float64(r.DoubleValue)
	}
	return out
}

func instanceHealth(h *types.ContainerInstanceHealthStatus) *state.InstanceHealth {
	if h == nil {
		return nil
	}
	return &state.InstanceHealth{
		OverallStatus: string(h.OverallStatus),
		Details: each(h.Details, func(d types.InstanceHealthCheckResult) state.InstanceHealthCheck {
			return state.InstanceHealthCheck{
				Type: string(d.Type), Status: string(d.Status), StatusReason: aws.ToString(d.StatusReason),
				LastUpdated: d.LastUpdated, LastStatusChange: d.LastStatusChange,
			}
		}),
	}
}

func gpuDevice(g types.GpuDevice) state.GPUDevice {
	return state.GPUDevice{
		GPUID:                aws.ToString(g.GpuId),
		SharingMode:          string(g.SharingMode),
		ContainerCount:       g.ContainerCount,
		TotalMemoryInMiB:     g.TotalMemoryInMiB,
		RemainingMemoryInMiB: g.RemainingMemoryInMiB,
	}
}
