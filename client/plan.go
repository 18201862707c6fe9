package client

import (
	"context"
	"net/http"
	"time"
)

// Plan is what the scheduler would do to an environment: at its next look, and from there on if nothing goes wrong. Nothing
// of it was done or stored.
type Plan struct {
	Environment string    `json:"environment"`
	At          time.Time `json:"at" doc:"When the plan was made: offsets count from here."`
	// Revision is 0 for an environment without a deployment.
	Revision         int             `json:"revision,omitempty" doc:"Number of the revision that hosts would get. Absent before the first deployment."`
	DeploymentStatus string          `json:"deploymentStatus,omitempty" doc:"Status of the deployment that was planned for."`
	Counts           Counts          `json:"counts" doc:"Hosts as they are now, counted for the deployment that was planned for."`
	Actions          []PlannedAction `json:"actions" nullable:"false" doc:"What the next look at the environment would do, in its order."`
	ActionsLeftOut   int             `json:"actionsLeftOut,omitempty" doc:"How many actions came after those of the list, which is bounded."`
	Waves            []PlanWave      `json:"waves" nullable:"false" doc:"What would be done when, if every task started at once and stayed healthy, and every stop took no time. The first wave is actions."`
	Forecast         PlanForecast    `json:"forecast"`
}

// PlannedAction is one thing that would be done, and why.
type PlannedAction struct {
	Kind      string `json:"kind" doc:"What would be done, such as start, surge, stop, stopFormer, setAttribute, handOver, advance or finish."`
	Host      string `json:"host,omitempty" doc:"EC2 instance id; absent for what concerns all hosts."`
	Cluster   string `json:"cluster,omitempty" doc:"ARN of the host's cluster."`
	TaskARN   string `json:"taskArn,omitempty" doc:"The task that would be stopped. Absent for one that does not exist yet."`
	Revision  int    `json:"revision,omitempty" doc:"Number of the revision that would be started."`
	Attribute string `json:"attribute,omitempty" doc:"The custom attribute that would be set or deleted, with its value where it has one: name=value."`
	Status    string `json:"status,omitempty" doc:"The status that the deployment would come to."`
	Reason    string `json:"reason,omitempty"`
}

// PlanWave is what one look at the environment would do.
type PlanWave struct {
	AfterSeconds   int             `json:"afterSeconds" doc:"When, in seconds from now, at the earliest."`
	Actions        []PlannedAction `json:"actions" nullable:"false"`
	ActionsLeftOut int             `json:"actionsLeftOut,omitempty" doc:"How many actions came after those of the list, which is bounded."`
}

// PlanForecast is where it would end.
type PlanForecast struct {
	DeploymentStatus string `json:"deploymentStatus,omitempty" doc:"The deployment's status at the end."`
	AfterSeconds     int    `json:"afterSeconds" doc:"When that would be, in seconds from now, at the earliest: what ECS takes to start and stop tasks, and its limits of calls, are not counted."`
	Counts           Counts `json:"counts" doc:"Hosts as they would be then."`
	WaitsFor         string `json:"waitsFor,omitempty" doc:"Why no more would be done then; absent if there is nothing left to do."`
	Truncated        bool   `json:"truncated,omitempty" doc:"The forecast was given up here: it has more waves than are told."`
}

// PlanEnvironment asks what the scheduler would do to an environment. With a definition: what it would do if the
// environment were given that definition (an Error says what is wrong with it), and that were deployed; the environment
// need not exist then. Nothing is stored, and nothing is done.
func (c *Client) PlanEnvironment(ctx context.Context, name string, definition *EnvironmentDefinition) (Plan, error) {
	var out Plan
	in := call{method: http.MethodPost, path: []string{"environments", name, "plan"}}
	if definition != nil {
		in.body = definition
	}
	err := c.do(ctx, in, &out)
	return out, err
}
