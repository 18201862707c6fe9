package daemon

import (
	"encoding/json"
	"fmt"
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
}

// PlacementConstraint is ECS's: type distinctInstance, or memberOf with an expression.
type PlacementConstraint struct {
	Type       string `json:"type"`
	Expression string `json:"expression,omitempty"`
}

// runRequest asks ECS for the daemon on this host and nowhere else, and only if the group has no live task there.
func (p *planner) runRequest(slot Slot) json.RawMessage {
	env, host := p.Environment, slot.Host
	raw, err := json.Marshal(RunRequest{
		Cluster:        host.Cluster.ARN(env.Partition),
		TaskDefinition: p.Revision.TaskDefinition,
		Count:          1,
		LaunchType:     p.Revision.LaunchType,
		Group:          Group(p.Installation, env.ID),
		StartedBy:      StartedBy(p.Deployment.ID),
		ClientToken:    ClientToken(env.ID, p.Revision.Number, host, slot.ContainerInstanceARN, slot.Attempt),
		PlacementConstraints: []PlacementConstraint{
			{Type: "distinctInstance"},
			{Type: "memberOf", Expression: fmt.Sprintf("ec2InstanceId == %s", host.EC2InstanceID)},
		},
	})
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return raw
}
