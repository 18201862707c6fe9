package table

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// Checkpoint is how far a reconcile of a cluster has come that is not complete. Its row lies beside the cluster's: a
// complete reconcile overwrites that one as a whole, and its time tells that the checkpoint is over.
type Checkpoint struct {
	Key state.ClusterKey `json:"-"`
	// BeganAt is when the reconcile began, in milliseconds since 1970; 0 without a checkpoint.
	BeganAt int64 `json:"beganAt"`
	// Kind is what it was at: tasks come before container instances. What has an id up to After, and all of the kinds
	// before, has been compared.
	Kind  state.Kind `json:"kind"`
	After string     `json:"after"`
	// Drift counts what was repaired so far.
	Drift Drift `json:"drift"`
	// Unstorable counts what could not be read or written so far.
	Unstorable int `json:"unstorable,omitempty"`
}

const checkpointsPK = "checkpoints"

// checkpointKeptFor is when a checkpoint that nothing resumed is deleted.
const checkpointKeptFor = 24 * time.Hour

// PutCheckpoint stores how far a reconcile has come.
func (s *State) PutCheckpoint(ctx context.Context, c Checkpoint) error {
	item, err := encode(checkpointsPK, c.Key.String(), c)
	if err != nil {
		return err
	}
	item[schema.TTL] = numberValue(fromMillis(c.BeganAt).Add(checkpointKeptFor).Unix())
	if _, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.name, Item: item}); err != nil {
		return fmt.Errorf("storing how far the reconcile of cluster %s has come: %w", c.Key, err)
	}
	return nil
}

// Progress reads what is known of a cluster, its summary included, and how far a reconcile has come since then, consistently. Both are zero but
// for the key if there is none.
func (s *State) Progress(ctx context.Context, key state.ClusterKey) (Cluster, Checkpoint, error) {
	cluster, reached := Cluster{Key: key}, Checkpoint{Key: key}
	items, err := getMany(ctx, s.db, s.name, []Item{itemKey(clustersPK, key.String()), itemKey(checkpointsPK, key.String())}, true)
	if err != nil {
		return cluster, reached, fmt.Errorf("reading what is known of cluster %s: %w", key, err)
	}
	for _, item := range items {
		if stringOf(item, schema.PartitionKey) == clustersPK {
			cluster, err = clusterOf(item)
		} else {
			err = decode(item, &reached)
		}
		if err != nil {
			return cluster, reached, err
		}
	}
	if reached.BeganAt <= cluster.SyncedAt {
		reached = Checkpoint{Key: key}
	}
	return cluster, reached, nil
}
