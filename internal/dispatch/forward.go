package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Forwarder takes changes as entries of an event bus. An error says that some of them may not have been taken.
type Forwarder interface {
	PutEntries(ctx context.Context, entries []announce.Entry) error
}

var _ Forwarder = (*announce.EventBridge)(nil)

// The detail-types of forwarded changes.
const (
	TaskStateChange              = "Task State Change"
	ContainerInstanceStateChange = "Container Instance State Change"
)

// ForwardedChange is the detail of a forwarded change. It has what rules choose by; the rest is one call of the API
// away, and so the events stay far below EventBridge's 256 KB.
type ForwardedChange struct {
	Installation string `json:"installation"`
	ARN          string `json:"arn"`
	ClusterARN   string `json:"clusterArn"`
	Version      int64  `json:"version"`
	// Reason is the feed's: written, stopped, gone or expired.
	Reason table.Reason `json:"reason"`
	// Inferred says that ECS never reported this end.
	Inferred bool      `json:"inferred,omitempty"`
	StoredAt time.Time `json:"storedAt,omitzero"`

	// Of tasks.
	LastStatus           string `json:"lastStatus,omitempty"`
	DesiredStatus        string `json:"desiredStatus,omitempty"`
	Family               string `json:"family,omitempty"`
	Group                string `json:"group,omitempty"`
	StartedBy            string `json:"startedBy,omitempty"`
	ContainerInstanceARN string `json:"containerInstanceArn,omitempty"`

	// Of container instances.
	Status         string `json:"status,omitempty"`
	AgentConnected *bool  `json:"agentConnected,omitempty"`
	EC2InstanceID  string `json:"ec2InstanceId,omitempty"`

	// Previous is what the change took the place of; nil if nothing was known before.
	Previous *ForwardedPrevious `json:"previous,omitempty"`
}

// ForwardedPrevious is what a forwarded change took the place of.
type ForwardedPrevious struct {
	Version        int64  `json:"version"`
	LastStatus     string `json:"lastStatus,omitempty"`
	DesiredStatus  string `json:"desiredStatus,omitempty"`
	Status         string `json:"status,omitempty"`
	AgentConnected *bool  `json:"agentConnected,omitempty"`
}

// maxFieldBytes bounds each text that is no ARN: ECS's own have at most 255. JSON may make six bytes of one, and still
// the ten events of a call stay below the 256 KB that EventBridge takes in one.
const maxFieldBytes = 256

// forward puts one event for each change on the bus, in their order. What failed is put again by the stream's next
// delivery.
func (d *Dispatcher) forward(ctx context.Context, changes []table.RecordChange) error {
	if d.Forward == nil || len(changes) == 0 {
		return nil
	}
	entries := make([]announce.Entry, len(changes))
	for i, c := range changes {
		var err error
		if entries[i], err = forwarded(c, d.Installation); err != nil {
			return err
		}
	}
	if err := d.Forward.PutEntries(ctx, entries); err != nil {
		return fmt.Errorf("forwarding %d changes: %w", len(changes), err)
	}
	return nil
}

// forwarded is a change as an event.
func forwarded(c table.RecordChange, installation string) (announce.Entry, error) {
	now := c.New
	at := time.Time{}
	if now == nil {
		now = c.Old // a deleted record is told as it was last, and not at that time
	} else {
		at = now.StoredAt
	}
	detail := ForwardedChange{
		Installation: installation, ARN: now.ARN, ClusterARN: c.Key.Cluster.ARN(""), Version: now.Version,
		Reason: c.FeedChange().Reason, Inferred: now.Tombstone != nil && now.Tombstone.Inferred, StoredAt: now.StoredAt,
	}
	detailType := TaskStateChange
	if c.Key.Kind == state.KindContainerInstance {
		detailType = ContainerInstanceStateChange
		detail.Status, detail.AgentConnected = cut(now.Instance.Status), &now.Instance.AgentConnected
		detail.EC2InstanceID = cut(now.Instance.EC2InstanceID)
	} else {
		detail.LastStatus, detail.DesiredStatus = cut(now.Task.LastStatus), cut(now.Task.DesiredStatus)
		detail.Family, detail.Group, detail.StartedBy = cut(now.Task.Family), cut(now.Task.Group), cut(now.Task.StartedBy)
		if instance, ok := instanceOf(now); ok {
			detail.ContainerInstanceARN = state.ARN{
				Partition: state.PartitionOf(c.Key.Cluster.Region), Account: c.Key.Cluster.Account, Region: c.Key.Cluster.Region,
				Kind: state.ARNContainerInstance, Cluster: c.Key.Cluster.Name, ID: cut(instance.ID),
			}.String()
		}
	}
	if c.Old != nil && c.New != nil {
		detail.Previous = previously(c.Old)
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return announce.Entry{}, fmt.Errorf("encoding a change of %s: %w", c.Key, err)
	}
	return announce.Entry{
		DetailType: detailType, At: at, Resources: []string{detail.ARN, detail.ClusterARN}, Detail: string(text),
	}, nil
}

func previously(old *state.Record) *ForwardedPrevious {
	if old.Kind == state.KindContainerInstance {
		return &ForwardedPrevious{
			Version: old.Version, Status: cut(old.Instance.Status), AgentConnected: &old.Instance.AgentConnected,
		}
	}
	return &ForwardedPrevious{
		Version: old.Version, LastStatus: cut(old.Task.LastStatus), DesiredStatus: cut(old.Task.DesiredStatus),
	}
}

func cut(s string) string { return s[:min(len(s), maxFieldBytes)] }
