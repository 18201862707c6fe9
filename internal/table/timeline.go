package table

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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

const timelinePrefix = "timeline/"

func timelineSK(deploymentID, rest string) string { return timelinePrefix + deploymentID + "/" + rest }

// AppendTimeline keeps an entry. Storing the same entry twice keeps one.
func (d *Daemon) AppendTimeline(ctx context.Context, environmentID string, entry TimelineEntry) error {
	item, err := timelineItem(environmentID, entry)
	if err != nil {
		return err
	}
	if _, err := d.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &d.name, Item: item}); err != nil {
		return fmt.Errorf("appending to the timeline of deployment %s: %w", entry.DeploymentID, err)
	}
	return nil
}

// putBatch is BatchWriteItem's limit.
const putBatch = 25

// AppendTimelineAll keeps entries as AppendTimeline does, a call for each 25. If it fails, some of them are stored.
func (d *Daemon) AppendTimelineAll(ctx context.Context, environmentID string, entries []TimelineEntry) error {
	items := make([]Item, len(entries))
	for i, entry := range entries {
		var err error
		if items[i], err = timelineItem(environmentID, entry); err != nil {
			return err
		}
	}
	if err := d.putMany(ctx, items); err != nil {
		return fmt.Errorf("appending %d entries to the timeline of environment %s: %w", len(entries), environmentID, err)
	}
	return nil
}

func timelineItem(environmentID string, entry TimelineEntry) (Item, error) {
	entry.TTL = entry.At.Add(timelineRetention).Unix()
	sk := timelineSK(entry.DeploymentID, fmt.Sprintf("%s/%s/%s", entry.At.UTC().Format("2006-01-02T15:04:05.000000Z"), entry.Kind, entry.Host))
	return encode(environmentPK(environmentID), sk, entry)
}

// putMany puts items; of two with the same key the last, for BatchWriteItem refuses a whole batch in which a key repeats.
func (d *Daemon) putMany(ctx context.Context, items []Item) error {
	var requests []types.WriteRequest
	places := make(map[[2]string]int, len(items))
	for _, item := range items {
		request := types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
		id := [2]string{stringOf(item, schema.PartitionKey), stringOf(item, schema.SortKey)}
		if i, again := places[id]; again {
			requests[i] = request
			continue
		}
		places[id] = len(requests)
		requests = append(requests, request)
	}
	for batch := range slices.Chunk(requests, putBatch) {
		pending := map[string][]types.WriteRequest{d.name: batch}
		for try := 0; len(pending) > 0; try++ {
			if try == batchTries {
				return fmt.Errorf("writing to table %s: still throttled after %d tries", d.name, batchTries)
			}
			out, err := d.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: pending})
			if err != nil {
				return err
			}
			pending = out.UnprocessedItems
		}
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
