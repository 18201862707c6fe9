package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/spf13/cobra"

	"github.com/blox/blox/internal/daemon"
)

// handoverConstraint keeps a DAEMON service away from hosts that an environment has taken over. ECS also stops tasks that
// run where their constraint does not hold any more.
const handoverConstraint = "not(attribute:" + daemon.HandOverAttribute + " exists)"

// maxConstraints is ECS's limit of placement constraints of a service.
const maxConstraints = 10

// daemonService is an ECS service of scheduling strategy DAEMON.
type daemonService struct {
	types.Service
	name, clusterARN string
}

// describeDaemonService reads a service, and refuses one that no environment can stand in for.
func describeDaemonService(cmd *cobra.Command, api *ecs.Client, cluster, ref string) (daemonService, error) {
	out, err := api.DescribeServices(cmd.Context(), &ecs.DescribeServicesInput{
		Cluster: &cluster, Services: []string{ref}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		return daemonService{}, fmt.Errorf("describing service %s of cluster %s: %w", ref, cluster, err)
	}
	if len(out.Services) == 0 || aws.ToString(out.Services[0].Status) == "INACTIVE" {
		return daemonService{}, &exitError{exitNotFound, fmt.Errorf("cluster %s has no service %s", lastPart(cluster), lastPart(ref))}
	}
	s := daemonService{out.Services[0], aws.ToString(out.Services[0].ServiceName), aws.ToString(out.Services[0].ClusterArn)}
	if problems := s.problems(); len(problems) > 0 {
		return s, &exitError{exitFailed, fmt.Errorf("service %s cannot become an environment: %s", s.name, strings.Join(problems, "; "))}
	}
	return s, nil
}

// problems are what a daemon of Blox does not have.
func (s daemonService) problems() []string {
	var problems []string
	if s.SchedulingStrategy != types.SchedulingStrategyDaemon {
		problems = append(problems, fmt.Sprintf("its scheduling strategy is %s, and only DAEMON services run one task a host", s.SchedulingStrategy))
	}
	if len(s.LoadBalancers) > 0 {
		problems = append(problems, "it has load balancers, which tasks of RunTask are not registered with")
	}
	if len(s.ServiceRegistries) > 0 {
		problems = append(problems, "it has service registries, which tasks of RunTask are not registered with")
	}
	for _, d := range s.Deployments {
		if d.ServiceConnectConfiguration != nil && d.ServiceConnectConfiguration.Enabled {
			problems = append(problems, "it uses Service Connect, which tasks of RunTask do not have")
			break
		}
	}
	return problems
}

// handsOver says that the service keeps away from hosts that were taken over.
func (s daemonService) handsOver() bool {
	for _, c := range s.PlacementConstraints {
		if c.Type == types.PlacementConstraintTypeMemberOf && aws.ToString(c.Expression) == handoverConstraint {
			return true
		}
	}
	return false
}

// addConstraint makes it so. ECS starts no deployment for a change of constraints, and nothing is stopped: no host carries
// the attribute yet.
func (s daemonService) addConstraint(ctx context.Context, api *ecs.Client) error {
	if len(s.PlacementConstraints) >= maxConstraints {
		return fmt.Errorf("service %s has %d placement constraints already: ECS allows %d, and one more is needed", s.name,
			len(s.PlacementConstraints), maxConstraints)
	}
	constraints := slices.Concat(s.PlacementConstraints, []types.PlacementConstraint{{
		Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String(handoverConstraint),
	}})
	_, err := api.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &s.clusterARN, Service: &s.name, PlacementConstraints: constraints})
	if err != nil {
		return fmt.Errorf("adding a placement constraint to service %s: %w", s.name, err)
	}
	return nil
}

// manifest is an environment that does what the service does.
func (s daemonService) manifest(name string) (manifest, error) {
	if err := daemon.ValidateName(name); err != nil {
		return manifest{}, &exitError{exitUsage, fmt.Errorf("%w; give another with --as", err)}
	}
	m := manifest{
		Name: name, TaskDefinition: aws.ToString(s.TaskDefinition), LaunchType: string(s.LaunchType), MigrateFrom: s.name,
		InstanceGroup:        &manifestGroup{Cluster: s.clusterARN, Expression: s.expression()},
		EnableExecuteCommand: s.EnableExecuteCommand, EnableECSManagedTags: s.EnableECSManagedTags,
	}
	switch s.LaunchType {
	case types.LaunchTypeEc2, types.LaunchTypeExternal:
	case "": // with a capacity provider strategy, whose hosts are EC2's
		m.LaunchType = string(types.LaunchTypeEc2)
	default:
		return m, errors.New("service " + s.name + " has launch type " + string(s.LaunchType) + ": allowed are EC2 and EXTERNAL")
	}
	if n := s.NetworkConfiguration; n != nil && n.AwsvpcConfiguration != nil {
		m.NetworkConfiguration = &manifestNetwork{Subnets: n.AwsvpcConfiguration.Subnets, SecurityGroups: n.AwsvpcConfiguration.SecurityGroups}
	}
	switch s.PropagateTags {
	case types.PropagateTagsTaskDefinition:
		m.PropagateTags = string(s.PropagateTags)
	case types.PropagateTagsService: // RunTask has no service: its tags are given themselves
		m.Tags = make(map[string]string, len(s.Tags))
		for _, tag := range s.Tags {
			m.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
	case types.PropagateTagsNone:
	}
	m.DeploymentConfiguration = s.configuration()
	return m, nil
}

// expression is the service's placement constraints in one, without that of the hand-over.
func (s daemonService) expression() string {
	var parts []string
	for _, c := range s.PlacementConstraints {
		text := aws.ToString(c.Expression)
		if c.Type == types.PlacementConstraintTypeMemberOf && text != handoverConstraint {
			parts = append(parts, text)
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	for i, part := range parts {
		parts[i] = "(" + part + ")"
	}
	return strings.Join(parts, " and ")
}

// configuration is the service's deployment configuration as far as it means the same.
func (s daemonService) configuration() *manifestConfiguration {
	given := s.DeploymentConfiguration
	if given == nil {
		return nil
	}
	made := &manifestConfiguration{}
	// 0 % is ECS's default for DAEMON services, and seldom meant: the first step would take all hosts over at once.
	if percent := given.MinimumHealthyPercent; percent != nil && *percent > 0 {
		made.MinimumHealthyPercent = new(whole)
		*made.MinimumHealthyPercent = whole(*percent)
	}
	if a := given.Alarms; a != nil && a.Enable {
		made.Alarms = a.AlarmNames
	}
	if b := given.DeploymentCircuitBreaker; b != nil && b.Enable {
		made.CircuitBreaker = &manifestBreaker{Rollback: aws.Bool(b.Rollback)}
	}
	return made
}
