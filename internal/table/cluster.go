package table

import (
	"context"
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
	// Absent counts the records that the last reconcile would have marked absent and held back, because they were too
	// many to believe at once; a second pass that agrees marks them.
	Absent int `json:"absent,omitempty"`
	// Drift counts what the last reconcile repaired.
	Drift int `json:"drift,omitempty"`
}

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

// PutSync stores the result of a complete reconcile. An older one than is stored is dropped.
func (s *State) PutSync(ctx context.Context, c Cluster) error {
	c.Name = c.Key.String()
	item, err := encode(clustersPK, c.Name, c)
	if err != nil {
		return err
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

// Clusters lists all known clusters, by name, consistently: who goes on from a position in the feed that was read before
// must not miss the cluster of an earlier change.
func (s *State) Clusters(ctx context.Context) ([]Cluster, error) {
	items, err := queryAll(ctx, s.db, &dynamodb.QueryInput{
		TableName: &s.name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: Item{":pk": stringValue(clustersPK)},
	})
	if err != nil {
		return nil, fmt.Errorf("listing clusters: %w", err)
	}
	clusters, err := decodeAll[Cluster](items)
	if err != nil {
		return nil, err
	}
	for i := range clusters {
		if clusters[i].Key, err = state.ParseClusterKey(clusters[i].Name); err != nil {
			return nil, fmt.Errorf("listing clusters: %w", err)
		}
	}
	return clusters, nil
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
	clusters, err := decodeAll[Cluster](items)
	if err != nil {
		return nil, err
	}
	for i := range clusters {
		if clusters[i].Key, err = state.ParseClusterKey(clusters[i].Name); err != nil {
			return nil, fmt.Errorf("reading clusters: %w", err)
		}
	}
	return clusters, nil
}

// Lag is how late events of a region are stored.
type Lag struct {
	// Millis is the age of the oldest event of a late batch when it was stored, At when that was; both in milliseconds.
	Millis int64 `json:"lagMillis"`
	At     int64 `json:"at"`
}

const ingestPK = "ingest"

// PutLag stores how late events are. Ingest calls it when they are late, and once more when they are not any longer.
func (s *State) PutLag(ctx context.Context, account, region string, lag Lag) error {
	item, err := encode(ingestPK, account+"/"+region, lag)
	if err != nil {
		return err
	}
	if _, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.name, Item: item}); err != nil {
		return fmt.Errorf("storing the ingest lag of %s/%s: %w", account, region, err)
	}
	return nil
}

// lagBelieved is how long a reported lag counts. Ingest repeats it while it lasts.
const lagBelieved = 2 * time.Minute

// IngestLag is how late events of a region are at now; zero when none were reported late lately.
func (s *State) IngestLag(ctx context.Context, account, region string, now time.Time) (time.Duration, error) {
	lag, err := s.LagReport(ctx, account, region)
	return lag.CountedAt(now), err
}

// LagReport is the last report of an account and region; zero if events were never late there.
func (s *State) LagReport(ctx context.Context, account, region string) (Lag, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.name, Key: itemKey(ingestPK, account+"/"+region)})
	if err != nil {
		return Lag{}, fmt.Errorf("reading the ingest lag of %s/%s: %w", account, region, err)
	}
	var lag Lag
	err = decode(out.Item, &lag)
	return lag, err
}

// CountedAt is how late events are at a time as far as this report tells: zero when it is too old to say.
func (l Lag) CountedAt(now time.Time) time.Duration {
	if now.Sub(fromMillis(l.At)) > lagBelieved {
		return 0
	}
	return time.Duration(l.Millis) * time.Millisecond
}

// LagReports are the last reports of every account and region that ever was late, by "ACCOUNT/REGION".
func (s *State) LagReports(ctx context.Context) (map[string]Lag, error) {
	items, err := queryAll(ctx, s.db, &dynamodb.QueryInput{
		TableName: &s.name, KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: Item{":pk": stringValue(ingestPK)},
	})
	if err != nil {
		return nil, fmt.Errorf("reading the ingest lags: %w", err)
	}
	reports := make(map[string]Lag, len(items))
	for _, item := range items {
		var lag Lag
		if err := decode(item, &lag); err != nil {
			return nil, err
		}
		reports[stringOf(item, schema.SortKey)] = lag
	}
	return reports, nil
}
