package table

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// State is the STATE table.
//
//	pk                                      sk                    holds
//	ACCOUNT/REGION/CLUSTER/task/SHARD       task id               a task at its newest version (recordItem)
//	ACCOUNT/REGION/CLUSTER/instance/SHARD   container instance id a container instance, likewise
//	clusters                                ACCOUNT/REGION/NAME   Cluster: what is known of the cluster as a whole
//	checkpoints                             ACCOUNT/REGION/NAME   Checkpoint: how far a reconcile has come
//	feed/SHARD                              head                  the number of the newest row
//	feed/SHARD                              number, 20 digits     a batch of changes
//	ingest                                  ACCOUNT/REGION        how late events are
type State struct {
	db         dynamo.API
	name       string
	visibleFor time.Duration
}

// NewState is the STATE table of that name. Stopped tasks and gone instances stay visible for visibleFor.
func NewState(db dynamo.API, name string, visibleFor time.Duration) *State {
	return &State{db: db, name: name, visibleFor: visibleFor}
}

// recordKey is where a record lives.
func recordKey(key state.Key) (pk, sk string) {
	return partition(key.Cluster, key.Kind, shardOf(key.ID, shards(key.Kind))), key.ID
}

// shards is the number of partitions of a cluster's records of a kind.
func shards(kind state.Kind) int {
	if kind == state.KindContainerInstance {
		return schema.InstanceShards
	}
	return schema.TaskShards
}

func partition(cluster state.ClusterKey, kind state.Kind, shard int) string {
	return fmt.Sprintf("%s/%s/%d", cluster, kind, shard)
}

func shardOf(id string, shards int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails to write
	return int(h.Sum32() % uint32(shards))
}
