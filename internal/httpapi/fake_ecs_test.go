package httpapi_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

// fakeECS knows some clusters and task definitions.
type fakeECS struct {
	clusters        map[string]string // ARN: status
	taskDefinitions map[string]types.TaskDefinition
	tags            map[string][]types.Tag // of task definitions, by ARN
	services        []types.Service
	registered      int
	err             error
}

func newFakeECS() *fakeECS {
	f := &fakeECS{clusters: map[string]string{}, taskDefinitions: map[string]types.TaskDefinition{}, tags: map[string][]types.Tag{}}
	for _, name := range []string{"edge", "core"} {
		f.clusters[clusterARN(name)] = "ACTIVE"
	}
	f.clusters[clusterARN("gone")] = "INACTIVE"
	f.define("log-agent:12", types.TaskDefinitionStatusActive)
	f.define("log-agent:13", types.TaskDefinitionStatusActive)
	f.taskDefinitions["log-agent"] = f.taskDefinitions["log-agent:13"]
	f.define("old:1", types.TaskDefinitionStatusInactive)
	f.define("fargate:1", types.TaskDefinitionStatusActive, types.CompatibilityFargate)
	f.define("outside:1", types.TaskDefinitionStatusActive, types.CompatibilityExternal)
	return f
}

func clusterARN(name string) string {
	return state.ClusterKey{Account: account, Region: region, Name: name}.ARN("")
}

func taskDefinitionARN(familyRevision string) string {
	return "arn:aws:ecs:" + region + ":" + account + ":task-definition/" + familyRevision
}

func (f *fakeECS) define(familyRevision string, status types.TaskDefinitionStatus, requires ...types.Compatibility) {
	arn := taskDefinitionARN(familyRevision)
	f.taskDefinitions[familyRevision] = types.TaskDefinition{
		TaskDefinitionArn: &arn, Status: status, RequiresCompatibilities: requires,
		Compatibilities: []types.Compatibility{types.CompatibilityEc2, types.CompatibilityExternal, types.CompatibilityFargate},
	}
	f.taskDefinitions[arn] = f.taskDefinitions[familyRevision]
}

func (f *fakeECS) DescribeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput, _ ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	found, ok := f.taskDefinitions[*in.TaskDefinition]
	if !ok {
		return nil, &types.ClientException{Message: aws.String("Unable to describe task definition.")}
	}
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &found}
	if slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
		out.Tags = f.tags[*found.TaskDefinitionArn]
	}
	return out, nil
}

func (f *fakeECS) RegisterTaskDefinition(_ context.Context, in *ecs.RegisterTaskDefinitionInput, _ ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error) {
	f.registered++
	family := *in.Family
	arn := taskDefinitionARN(fmt.Sprintf("%s:%d", family, f.registered))
	made := types.TaskDefinition{
		TaskDefinitionArn: &arn, Family: &family, Revision: int32(f.registered), Status: types.TaskDefinitionStatusActive,
		ContainerDefinitions: in.ContainerDefinitions, Cpu: in.Cpu, Memory: in.Memory, NetworkMode: in.NetworkMode, Volumes: in.Volumes,
		TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn, PidMode: in.PidMode, IpcMode: in.IpcMode,
		PlacementConstraints: in.PlacementConstraints, RequiresCompatibilities: in.RequiresCompatibilities, RuntimePlatform: in.RuntimePlatform,
		ProxyConfiguration: in.ProxyConfiguration, EphemeralStorage: in.EphemeralStorage,
		EnableFaultInjection: in.EnableFaultInjection,
	}
	f.taskDefinitions[family], f.taskDefinitions[arn] = made, made
	f.tags[arn] = in.Tags
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: &made, Tags: in.Tags}, nil
}

func (f *fakeECS) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput, _ ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	out := &ecs.DescribeServicesOutput{}
	for _, service := range f.services {
		if *service.ClusterArn == *in.Cluster && slices.Contains(in.Services, *service.ServiceName) {
			out.Services = append(out.Services, service)
		}
	}
	return out, nil
}

func (f *fakeECS) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput, _ ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	out := &ecs.DescribeClustersOutput{}
	for _, arn := range in.Clusters {
		if status, ok := f.clusters[arn]; ok {
			out.Clusters = append(out.Clusters, types.Cluster{ClusterArn: aws.String(arn), Status: aws.String(status)})
		} else {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")})
		}
	}
	return out, nil
}
