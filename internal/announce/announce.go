// Package announce puts events for people on the installation's own event bus: what became of deployments, and what
// needs somebody to look. Rules on the bus bring them to mail, chat or a pager.
//
// An event has the source "blox", one of the detail-types below, the environment's cluster ARNs as resources, and a detail
// of the same shape whatever its type:
//
//	{
//	  "installation": "blox", "account": "123456789012", "region": "eu-west-1",
//	  "environmentId": "0199…", "environmentName": "log-agent", "clusters": ["arn:aws:ecs:eu-west-1:123456789012:cluster/edge"],
//	  "deploymentId": "0199…", "revision": 3, "status": "running",
//	  "reason": "no host was updated since 2026-11-20T08:29:00Z, 3 of 10 are left; on i-1: RESOURCE:MEMORY",
//	  "counts": {"desired": 10, "updated": 7, "healthy": 9, "unavailable": 1, "failed": 1, "exempt": 1}, "blocked": 1,
//	  "since": "2026-11-20T08:29:00Z",
//	  "failedInstances": [{"host": "123456789012/eu-west-1/edge/i-1", "reason": "RESOURCE:MEMORY"}]
//	}
//
// An event is put at least once, after what it tells of was stored. After a crash at the wrong moment it is put again:
// whoever acts on events keys on deploymentId, detail-type, status and since, which tells one time of being stuck or
// blocked from the next. What became of a deployment is put within a day, or not at all.
package announce

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blox/blox/internal/daemon"
)

// Source is the source of every event.
const Source = "blox"

// The types of event, EventBridge's detail-type.
const (
	// DeploymentStateChange: the deployment's status is another one.
	DeploymentStateChange = "Blox Deployment State Change"
	// DeploymentStuck: the deployment has not ended and nothing came of it for too long. Once for each such time.
	DeploymentStuck = "Blox Deployment Stuck"
	// EnvironmentBlocked: ECS finds no room for the daemon on some hosts, and did on all for a while before; or a task
	// definition that hosts would get is INACTIVE.
	EnvironmentBlocked = "Blox Environment Blocked"
	// EnvironmentUnhealthy: hosts that ought to have a healthy daemon have had none for longer than a start takes, and not
	// for want of room. Once until all have one.
	EnvironmentUnhealthy = "Blox Environment Unhealthy"
)

// Event is one event of the bus.
type Event struct {
	DetailType string
	At         time.Time
	Detail     Detail
}

// Detail is the detail of every event, whatever its type, as JSON.
type Detail struct {
	Installation string `json:"installation"`
	// Account and Region are the environment's, which may be a member's.
	Account         string `json:"account"`
	Region          string `json:"region"`
	EnvironmentID   string `json:"environmentId"`
	EnvironmentName string `json:"environmentName"`
	// Clusters are ARNs.
	Clusters     []string `json:"clusters"`
	DeploymentID string   `json:"deploymentId"`
	Revision     int      `json:"revision"`
	// Status is the deployment's, now.
	Status daemon.DeploymentStatus `json:"status"`
	// Reason is a sentence for people.
	Reason string `json:"reason"`
	// Counts are of hosts, as the API gives them; Blocked are hosts that ECS finds no room on.
	Counts  daemon.Counts `json:"counts"`
	Blocked int           `json:"blocked"`
	// Since is when the deployment last came forward, of DeploymentStuck, and when hosts were first found blocked, of
	// EnvironmentBlocked.
	Since *time.Time `json:"since,omitempty"`
	// FailedInstances are hosts without a working daemon, and why: at most MaxFailedInstances.
	FailedInstances []daemon.FailedInstance `json:"failedInstances,omitempty"`
}

// MaxFailedInstances bounds an event, of which EventBridge takes 256 KB and people read less.
const MaxFailedInstances = 10

// MaxReasonBytes bounds the reason of a failed instance: it is ECS's, and may be long.
const MaxReasonBytes = 1000

// Of is the event of an environment's deployment.
func Of(detailType, installation string, env daemon.Environment, dep daemon.Deployment, reason string, at time.Time) Event {
	detail := Detail{
		Installation: installation, EnvironmentID: env.ID, EnvironmentName: env.Name,
		DeploymentID: dep.ID, Revision: dep.Revision, Status: dep.Status, Reason: reason,
		Counts: dep.Counts, Blocked: dep.Progress.Blocked, Clusters: []string{},
	}
	for _, cluster := range env.Clusters {
		// An environment's clusters are of one account and region.
		detail.Account, detail.Region = cluster.Account, cluster.Region
		detail.Clusters = append(detail.Clusters, cluster.ARN(env.Partition))
	}
	switch detailType {
	case DeploymentStuck:
		since := dep.CameForwardAt()
		detail.Since = &since
	case EnvironmentBlocked:
		detail.Since = dep.Progress.BlockedSince
	}
	for _, failed := range dep.FailedInstances[:min(len(dep.FailedInstances), MaxFailedInstances)] {
		failed.Reason = failed.Reason[:min(len(failed.Reason), MaxReasonBytes)]
		detail.FailedInstances = append(detail.FailedInstances, failed)
	}
	return Event{DetailType: detailType, At: at, Detail: detail}
}

// json is the detail as it is put.
func (e Event) json() (string, error) {
	text, err := json.Marshal(e.Detail)
	if err != nil {
		return "", fmt.Errorf("encoding the detail of a %q event: %w", e.DetailType, err)
	}
	return string(text), nil
}

// resources are the clusters, by which a rule may choose.
func (e Event) resources() []string { return e.Detail.Clusters }

// Bus takes events. An error says that some of them may not have been taken; they may then all be put again.
type Bus interface {
	Put(ctx context.Context, events []Event) error
}
