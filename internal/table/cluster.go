package table

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// Cluster is what is known of a cluster as a whole.
type Cluster struct {
	Key state.ClusterKey `json:"-"`
	// Name is the key once more, as ACCOUNT/REGION/NAME.
	Name string `json:"cluster"`
	// SyncedAt is when the last complete reconcile began, in milliseconds since 1970; 0 before the first.
	SyncedAt int64 `json:"syncedAt"`
	// SeenAt is when a sweep met the cluster first, in milliseconds since 1970; forgotten with the first complete
	// reconcile. Until then it tells how long that has been due.
	SeenAt int64 `json:"seenAt,omitempty"`
	// GoneAt is when ECS was first found to have the cluster no more, in milliseconds since 1970; 0 for one that it has.
	// It is believed when a later reconcile finds the same: until SyncedAt is later, nothing that was in it has ended.
	GoneAt int64 `json:"goneAt,omitempty"`
	// HeldBack counts the records that the last reconcile would have marked absent and held back, because they were too
	// many to believe at once; a later pass that agrees marks them. HeldSince is when the first such pass began, in
	// milliseconds since 1970.
	HeldBack  int   `json:"heldBack,omitempty"`
	HeldSince int64 `json:"heldSince,omitempty"`
	// Unstorable counts the records that the last reconcile could not read or write, and could not have another time: they
	// are as they were before. One that was resumed may count a record twice.
	Unstorable int `json:"unstorable,omitempty"`
	// Drift counts what the last reconcile repaired.
	Drift Drift `json:"drift"`
	// Summary is what the last reconcile counted; nil before the first, and in lists of all clusters.
	Summary *state.Summary `json:"-"`
}

// clusterItem is a cluster as it is stored. Most readers of its row ask when it was reconciled, so that the summary,
// packed, must not make it large: a row of up to a kilobyte costs one write unit, one of four half a read unit.
type clusterItem struct {
	Cluster
	Packed []byte `json:"summary,omitempty"`
}

// Drift counts the records of a cluster that one reconcile found to differ from ECS, and wrote.
type Drift struct {
	Missed      int `json:"missed,omitempty"`      // ECS had them and nothing was stored
	Stale       int `json:"stale,omitempty"`       // stored at a lower version
	Refreshed   int `json:"refreshed,omitempty"`   // stored at the same version with other tags, attributes or health
	Absent      int `json:"absent,omitempty"`      // stored as living, and not in ECS any more
	Resurrected int `json:"resurrected,omitempty"` // taken for gone by an earlier reconcile, and alive
}

// Total is how many records were written.
func (d Drift) Total() int { return d.Missed + d.Stale + d.Refreshed + d.Absent + d.Resurrected }

const clustersPK = "clusters"

// AddCluster makes a cluster known, so that lists over all clusters find it. It costs a write unit each time: callers
// remember what they have added.
func (s *State) AddCluster(ctx context.Context, key state.ClusterKey) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.name, Key: itemKey(clustersPK, key.String()),
		UpdateExpression:          aws.String("SET #cluster = :name"),
		ConditionExpression:       aws.String("attribute_not_exists(pk)"),
		ExpressionAttributeNames:  map[string]string{"#cluster": "cluster"},
		ExpressionAttributeValues: Item{":name": stringValue(key.String())},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("adding cluster %s: %w", key, err)
	}
	return nil
}

// SeeCluster makes a cluster known and notes when a sweep met it, if it was neither met before nor reconciled.
func (s *State) SeeCluster(ctx context.Context, key state.ClusterKey, at time.Time) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.name, Key: itemKey(clustersPK, key.String()),
		UpdateExpression:         aws.String("SET #cluster = :name, seenAt = :at"),
		ConditionExpression:      aws.String("attribute_not_exists(seenAt) AND (attribute_not_exists(syncedAt) OR syncedAt = :never)"),
		ExpressionAttributeNames: map[string]string{"#cluster": "cluster"},
		ExpressionAttributeValues: Item{
			":name": stringValue(key.String()), ":at": numberValue(millis(at)), ":never": numberValue(0),
		},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("adding cluster %s: %w", key, err)
	}
	return nil
}

// SeeGone notes that ECS was found to have a known cluster no more, if that was not noted before. PutSync forgets it when
// ECS has the cluster after all.
func (s *State) SeeGone(ctx context.Context, key state.ClusterKey, at time.Time) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.name, Key: itemKey(clustersPK, key.String()),
		UpdateExpression:          aws.String("SET goneAt = :at"),
		ConditionExpression:       aws.String("attribute_exists(pk) AND attribute_not_exists(goneAt)"),
		ExpressionAttributeValues: Item{":at": numberValue(millis(at))},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("noting that cluster %s is gone: %w", key, err)
	}
	return nil
}

// PutSync stores the result of a complete reconcile. An older one than is stored is dropped. A cluster that is gone is
// forgotten when nothing that was in it can be seen any more: DynamoDB deletes the row then.
func (s *State) PutSync(ctx context.Context, c Cluster) error {
	c.Name = c.Key.String()
	row := clusterItem{Cluster: c}
	if c.Summary != nil {
		text, err := json.Marshal(c.Summary)
		if err != nil {
			return fmt.Errorf("encoding the summary of cluster %s: %w", c.Name, err)
		}
		row.Packed = compress(text)
	}
	item, err := encode(clustersPK, c.Name, row)
	if err != nil {
		return err
	}
	if c.GoneAt > 0 {
		// What was in it was buried within three passes of that; a day is more than they take.
		item[schema.TTL] = numberValue(fromMillis(c.GoneAt).Add(s.visibleFor + 24*time.Hour).Unix())
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.name, Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(syncedAt) OR syncedAt <= :at"),
		ExpressionAttributeValues: Item{":at": numberValue(c.SyncedAt)},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("storing the sync of cluster %s: %w", c.Name, err)
	}
	return nil
}

// ClusterVisible says whether readers may still see the cluster: one that is gone, as long as what stopped in it.
func (s *State) ClusterVisible(c Cluster, now time.Time) bool {
	return c.GoneAt == 0 || now.Before(fromMillis(c.GoneAt).Add(s.visibleFor))
}

// Clusters lists all known clusters, by name, consistently: who goes on from a position in the feed that was read before
// must not miss the cluster of an earlier change. Clusters that have been gone for long are among them, until DynamoDB
// deletes their rows: see ClusterVisible.
func (s *State) Clusters(ctx context.Context) ([]Cluster, error) {
	items, err := queryAll(ctx, s.db, &dynamodb.QueryInput{
		TableName: &s.name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: Item{":pk": stringValue(clustersPK)},
	})
	if err != nil {
		return nil, fmt.Errorf("listing clusters: %w", err)
	}
	return clustersOf(items, false)
}

// ClustersByKey reads some clusters; those that are not known are left out.
func (s *State) ClustersByKey(ctx context.Context, keys []state.ClusterKey) ([]Cluster, error) {
	raw := make([]Item, len(keys))
	for i, key := range keys {
		raw[i] = itemKey(clustersPK, key.String())
	}
	items, err := getMany(ctx, s.db, s.name, raw, false)
	if err != nil {
		return nil, fmt.Errorf("reading clusters: %w", err)
	}
	return clustersOf(items, true)
}

func clustersOf(items []Item, summaries bool) ([]Cluster, error) {
	rows, err := decodeAll[clusterItem](items)
	if err != nil {
		return nil, err
	}
	clusters := make([]Cluster, len(rows))
	for i, row := range rows {
		if clusters[i], err = row.unpack(summaries); err != nil {
			return nil, fmt.Errorf("reading cluster %s: %w", row.Name, err)
		}
	}
	return clusters, nil
}

// clusterOf reads a cluster with its summary. Without one that cannot be read: only a reconcile can put a new one there.
func clusterOf(item Item) (Cluster, error) {
	var row clusterItem
	if err := decode(item, &row); err != nil {
		return Cluster{}, err
	}
	if c, err := row.unpack(true); err == nil {
		return c, nil
	}
	return row.unpack(false)
}

func (i clusterItem) unpack(summary bool) (c Cluster, err error) {
	c = i.Cluster
	if c.Key, err = state.ParseClusterKey(c.Name); err != nil || !summary || len(i.Packed) == 0 {
		return c, err
	}
	text, err := decompress(i.Packed)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(text, &c.Summary)
}
