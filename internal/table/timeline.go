package table

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table/schema"
)

// TimelineEntry is one thing that the scheduler did, and why.
type TimelineEntry struct {
	At           time.Time   `json:"at"`
	DeploymentID string      `json:"deploymentId"`
	Kind         daemon.Kind `json:"kind"`
	Host         string      `json:"host,omitempty"`
	TaskARN      string      `json:"taskArn,omitempty"`
	Reason       string      `json:"reason,omitempty"`
	TTL          int64       `json:"ttl"`
}

// timelineRetention is how long entries are kept.
const timelineRetention = 30 * 24 * time.Hour

func timelineSK(deploymentID, rest string) string { return "timeline/" + deploymentID + "/" + rest }

// AppendTimeline keeps an entry. Storing the same entry twice keeps one.
func (d *Daemon) AppendTimeline(ctx context.Context, environmentID string, entry TimelineEntry) error {
	entry.TTL = entry.At.Add(timelineRetention).Unix()
	sk := timelineSK(entry.DeploymentID, fmt.Sprintf("%s/%s/%s", entry.At.UTC().Format("2006-01-02T15:04:05.000000Z"), entry.Kind, entry.Host))
	item, err := encode(environmentPK(environmentID), sk, entry)
	if err != nil {
		return err
	}
	if _, err := d.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &d.name, Item: item}); err != nil {
		return fmt.Errorf("appending to the timeline of deployment %s: %w", entry.DeploymentID, err)
	}
	return nil
}

// Timeline reads the newest entries of a deployment, newest first.
func (d *Daemon) Timeline(ctx context.Context, environmentID, deploymentID string, limit int) ([]TimelineEntry, error) {
	out, err := d.db.Query(ctx, &dynamodb.QueryInput{
		TableName: &d.name, ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(limit)), //nolint:gosec // a page's size
		KeyConditionExpression: aws.String(schema.PartitionKey + " = :pk AND begins_with(sk, :prefix)"),
		ExpressionAttributeValues: Item{
			":pk": stringValue(environmentPK(environmentID)), ":prefix": stringValue(timelineSK(deploymentID, "")),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("reading the timeline of deployment %s: %w", deploymentID, err)
	}
	return decodeAll[TimelineEntry](out.Items)
}
