package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

// TaskOf translates a described task. The result encodes to JSON in the shape of
// an event's detail.
func TaskOf(t types.Task) state.Task {
	return state.Task{
		TaskARN:                 aws.ToString(t.TaskArn),
		ClusterARN:              aws.ToString(t.ClusterArn),
		ContainerInstanceARN:    aws.ToString(t.ContainerInstanceArn),
		TaskDefinitionARN:       aws.ToString(t.TaskDefinitionArn),
		Version:                 t.Version,
		LastStatus:              aws.ToString(t.LastStatus),
		DesiredStatus:           aws.ToString(t.DesiredStatus),
		HealthStatus:            string(t.HealthStatus),
		StopCode:                string(t.StopCode),
		StoppedReason:           aws.ToString(t.StoppedReason),
		Group:                   aws.ToString(t.Group),
		StartedBy:               aws.ToString(t.StartedBy),
		LaunchType:              string(t.LaunchType),
		CapacityProviderName:    aws.ToString(t.CapacityProviderName),
		PlatformVersion:         aws.ToString(t.PlatformVersion),
		PlatformFamily:          aws.ToString(t.PlatformFamily),
		AvailabilityZone:        aws.ToString(t.AvailabilityZone),
		EnableExecuteCommand:    &t.EnableExecuteCommand,
		CPU:                     aws.ToString(t.Cpu),
		Memory:                  aws.ToString(t.Memory),
		EphemeralStorage:        ephemeralStorage(t.EphemeralStorage),
		Connectivity:            string(t.Connectivity),
		ConnectivityAt:          t.ConnectivityAt,
		CreatedAt:               t.CreatedAt,
		PullStartedAt:           t.PullStartedAt,
		PullStoppedAt:           t.PullStoppedAt,
		StartedAt:               t.StartedAt,
		StoppingAt:              t.StoppingAt,
		ExecutionStoppedAt:      t.ExecutionStoppedAt,
		StoppedAt:               t.StoppedAt,
		Attachments:             each(t.Attachments, attachment),
		Attributes:              each(t.Attributes, attribute),
		Containers:              each(t.Containers, container),
		Overrides:               taskOverrides(t.Overrides),
		Tags:                    each(t.Tags, tag),
		FargateEphemeralStorage: fargateStorage(t.FargateEphemeralStorage),
		//nolint:staticcheck // ECS has ended the feature, and may still answer the field for old tasks.
		InferenceAccelerators: each(t.InferenceAccelerators, func(a types.InferenceAccelerator) state.InferenceAccelerator {
			return state.InferenceAccelerator{DeviceName: aws.ToString(a.DeviceName), DeviceType: aws.ToString(a.DeviceType)}
		}),
	}
}

func container(c types.Container) state.Container {
	return state.Container{
		ContainerARN:       aws.ToString(c.ContainerArn),
		TaskARN:            aws.ToString(c.TaskArn),
		Name:               aws.ToString(c.Name),
		Image:              aws.ToString(c.Image),
		ImageDigest:        aws.ToString(c.ImageDigest),
		RuntimeID:          aws.ToString(c.RuntimeId),
		LastStatus:         aws.ToString(c.LastStatus),
		HealthStatus:       string(c.HealthStatus),
		ExitCode:           widen(c.ExitCode),
		Reason:             aws.ToString(c.Reason),
		CPU:                aws.ToString(c.Cpu),
		Memory:             aws.ToString(c.Memory),
		MemoryReservation:  aws.ToString(c.MemoryReservation),
		NetworkBindings:    each(c.NetworkBindings, networkBinding),
		NetworkInterfaces:  each(c.NetworkInterfaces, networkInterface),
		ManagedAgents:      each(c.ManagedAgents, managedAgent),
		GPUIDs:             c.GpuIds,
		GPUSharingStrategy: sharingStrategy(c.GpuSharingStrategy),
		NeuronDeviceIDs:    c.NeuronDeviceIds,
	}
}

func networkBinding(b types.NetworkBinding) state.NetworkBinding {
	return state.NetworkBinding{
		BindIP:             aws.ToString(b.BindIP),
		ContainerPort:      b.ContainerPort,
		HostPort:           b.HostPort,
		ContainerPortRange: aws.ToString(b.ContainerPortRange),
		HostPortRange:      aws.ToString(b.HostPortRange),
		Protocol:           string(b.Protocol),
	}
}

func networkInterface(n types.NetworkInterface) state.NetworkInterface {
	return state.NetworkInterface{
		AttachmentID:       aws.ToString(n.AttachmentId),
		PrivateIPv4Address: aws.ToString(n.PrivateIpv4Address),
		IPv6Address:        aws.ToString(n.Ipv6Address),
	}
}

func managedAgent(a types.ManagedAgent) state.ManagedAgent {
	return state.ManagedAgent{
		Name:          string(a.Name),
		LastStatus:    aws.ToString(a.LastStatus),
		LastStartedAt: a.LastStartedAt,
		Reason:        aws.ToString(a.Reason),
	}
}

func taskOverrides(o *types.TaskOverride) *state.TaskOverrides {
	if o == nil {
		return nil
	}
	return &state.TaskOverrides{
		ContainerOverrides: each(o.ContainerOverrides, containerOverride),
		//nolint:staticcheck // As above.
		InferenceAcceleratorOverrides: each(o.InferenceAcceleratorOverrides, func(a types.InferenceAcceleratorOverride) state.InferenceAccelerator {
			return state.InferenceAccelerator{DeviceName: aws.ToString(a.DeviceName), DeviceType: aws.ToString(a.DeviceType)}
		}),
		CPU:              aws.ToString(o.Cpu),
		Memory:           aws.ToString(o.Memory),
		EphemeralStorage: ephemeralStorage(o.EphemeralStorage),
		ExecutionRoleARN: aws.ToString(o.ExecutionRoleArn),
		TaskRoleARN:      aws.ToString(o.TaskRoleArn),
	}
}

func containerOverride(o types.ContainerOverride) state.ContainerOverride {
	return state.ContainerOverride{
		Name:        aws.ToString(o.Name),
		Command:     o.Command,
		Environment: each(o.Environment, keyValuePair),
		EnvironmentFiles: each(o.EnvironmentFiles, func(f types.EnvironmentFile) state.EnvironmentFile {
			return state.EnvironmentFile{Type: string(f.Type), Value: aws.ToString(f.Value)}
		}),
		CPU:               o.Cpu,
		Memory:            o.Memory,
		MemoryReservation: o.MemoryReservation,
		ResourceRequirements: each(o.ResourceRequirements, func(r types.ResourceRequirement) state.ResourceRequirement {
			return state.ResourceRequirement{Type: string(r.Type), Value: aws.ToString(r.Value), SharingStrategy: sharingStrategy(r.SharingStrategy)}
		}),
	}
}

func ephemeralStorage(s *types.EphemeralStorage) *state.EphemeralStorage {
	if s == nil {
		return nil
	}
	return &state.EphemeralStorage{SizeInGiB: s.SizeInGiB}
}

func fargateStorage(s *types.TaskEphemeralStorage) *state.FargateEphemeralStorage {
	if s == nil {
		return nil
	}
	return &state.FargateEphemeralStorage{SizeInGiB: s.SizeInGiB, KMSKeyID: aws.ToString(s.KmsKeyId)}
}

// sharingStrategy translates the union's one member that this SDK knows.
func sharingStrategy(s types.SharingStrategy) *state.SharingStrategy {
	mps, ok := s.(*types.SharingStrategyMemberNvidiaMps)
	if !ok {
		return nil
	}
	return &state.SharingStrategy{NvidiaMPS: &state.NvidiaMPSAllocation{
		Memory: widen(mps.Value.Memory), MaxComputePercent: widen(mps.Value.MaxComputePercent),
	}}
}
