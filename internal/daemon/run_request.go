package daemon

import (
	"encoding/json"
	"fmt"
	"slices"
)

// RunRequest is a RunTask request for exactly one host, in ECS's own field names. It holds nothing that changes from
// one call to the next: ECS answers ConflictException when a token comes back with any other parameter, a tag included.
//
// RunTask and not StartTask, because StartTask has no clientToken: a retried StartTask starts a second task.
type RunRequest struct {
	Cluster              string                `json:"cluster"`
	TaskDefinition       string                `json:"taskDefinition"`
	Count                int                   `json:"count"`
	LaunchType           LaunchType            `json:"launchType"`
	Group                string                `json:"group"`
	StartedBy            string                `json:"startedBy"`
	ClientToken          string                `json:"clientToken"`
	PlacementConstraints []PlacementConstraint `json:"placementConstraints"`
	// NetworkConfiguration is ECS's, with the subnets and security groups under awsvpcConfiguration.
	NetworkConfiguration *RunNetwork `json:"networkConfiguration,omitempty"`
	// Overrides is ECS's taskOverride, as it was given.
	Overrides            json.RawMessage `json:"overrides,omitempty"`
	EnableExecuteCommand bool            `json:"enableExecuteCommand,omitempty"`
	EnableECSManagedTags bool            `json:"enableECSManagedTags,omitempty"`
	PropagateTags        string          `json:"propagateTags,omitempty"`
	Tags                 []Tag           `json:"tags,omitempty"`
}

// RunNetwork is ECS's networkConfiguration.
type RunNetwork struct {
	AwsvpcConfiguration NetworkConfiguration `json:"awsvpcConfiguration"`
}

// PlacementConstraint is ECS's: type distinctInstance, or memberOf with an expression.
type PlacementConstraint struct {
	Type       string `json:"type"`
	Expression string `json:"expression,omitempty"`
}

// runRequest asks ECS for the revision's daemon on this host and nowhere else, and only if the group has no live task
// there; beside a former task that condition is left out, for ECS would count that one.
func (p *planner) runRequest(slot Slot, r Revision) json.RawMessage {
	env, host, template := p.Environment, slot.Host, r.Template
	request := RunRequest{
		Cluster:        host.Cluster.ARN(env.Partition),
		TaskDefinition: r.TaskDefinition,
		Count:          1,
		LaunchType:     r.LaunchType,
		Group:          Group(p.Installation, env.ID),
		StartedBy:      StartedBy(p.Deployment.ID),
		ClientToken:    ClientToken(env.ID, r.Number, host, slot.ContainerInstanceARN, slot.Attempt),
		PlacementConstraints: []PlacementConstraint{
			{Type: "memberOf", Expression: fmt.Sprintf("ec2InstanceId == %s", host.EC2InstanceID)},
		},
		Overrides: template.Overrides, EnableExecuteCommand: template.EnableExecuteCommand,
		EnableECSManagedTags: template.EnableECSManagedTags, PropagateTags: template.PropagateTags, Tags: template.Tags,
	}
	if slot.Former == nil {
		request.PlacementConstraints = slices.Insert(request.PlacementConstraints, 0, PlacementConstraint{Type: "distinctInstance"})
		for _, id := range env.FormerIDs { // what they left running is the environment's daemon: distinctInstance does not see it
			request.PlacementConstraints = append(request.PlacementConstraints, PlacementConstraint{
				Type: "memberOf", Expression: fmt.Sprintf("not(task:group == %s)", Group(p.Installation, id)),
			})
		}
	}
	if template.NetworkConfiguration != nil {
		request.NetworkConfiguration = &RunNetwork{AwsvpcConfiguration: *template.NetworkConfiguration}
	}
	raw, err := json.Marshal(request)
	if err != nil {
		panic(err) // strings, numbers and JSON that was read before always marshal
	}
	return raw
}
