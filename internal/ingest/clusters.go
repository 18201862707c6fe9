package ingest

import (
	"sync"

	"github.com/blox/blox/internal/state"
)

// maxKnownClusters bounds the memory of a process: an account may have 10,000
// clusters in a region. Forgetting costs one write unit for each cluster.
const maxKnownClusters = 10_000

// knownClusters remembers which clusters this process has added to the table.
type knownClusters struct {
	mu    sync.Mutex
	added map[state.ClusterKey]bool
}

func (k *knownClusters) has(cluster state.ClusterKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.added[cluster]
}

func (k *knownClusters) add(cluster state.ClusterKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.added == nil || len(k.added) >= maxKnownClusters {
		k.added = map[state.ClusterKey]bool{}
	}
	k.added[cluster] = true
}
