package httpapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/blox/blox/internal/state"
)

// What a copy of the API keeps between two requests may be this old. Without it a get by a cluster's name would read
// every cluster and the feed's head first: here it is one read.
const (
	// clustersAge: a name that becomes ambiguous is refused this much later. Names that nobody knows are looked up anew.
	clustersAge = time.Minute
	// positionAge: who watches from a get is told again what happened this long before it. An older position is always
	// right, for nothing is missed from it.
	positionAge = 5 * time.Second
)

// known is what a copy of the API keeps. It is safe for concurrent use.
type known struct {
	mu         sync.Mutex
	clusters   []state.ClusterKey
	clustersAt time.Time
	position   string
	positionAt time.Time
}

// clustersNamed are the stored clusters of that name, by account and region, without those that have been gone for long.
func (s *server) clustersNamed(ctx context.Context, name string) ([]state.ClusterKey, error) {
	s.kept.mu.Lock()
	clusters, fresh := s.kept.clusters, s.Now().Sub(s.kept.clustersAt) < clustersAge
	s.kept.mu.Unlock()
	if found := named(clusters, name); fresh && len(found) > 0 {
		return found, nil
	}
	at := s.Now()
	all, err := s.State.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	clusters = nil
	for _, cluster := range all {
		if s.State.ClusterVisible(cluster, at) {
			clusters = append(clusters, cluster.Key)
		}
	}
	slices.SortFunc(clusters, state.ClusterKey.Compare)
	s.kept.mu.Lock()
	s.kept.clusters, s.kept.clustersAt = clusters, at
	s.kept.mu.Unlock()
	return named(clusters, name), nil
}

func named(clusters []state.ClusterKey, name string) []state.ClusterKey {
	var found []state.ClusterKey
	for _, cluster := range clusters {
		if cluster.Name == name {
			found = append(found, cluster)
		}
	}
	return found
}

// recentPosition is a position in the feed that was read a moment ago, or is read now.
func (s *server) recentPosition(ctx context.Context) (string, error) {
	s.kept.mu.Lock()
	position, fresh := s.kept.position, s.Now().Sub(s.kept.positionAt) < positionAge
	s.kept.mu.Unlock()
	if fresh && position != "" {
		return position, nil
	}
	at := s.Now()
	position, err := s.position(ctx)
	if err != nil {
		return "", err
	}
	s.kept.mu.Lock()
	s.kept.position, s.kept.positionAt = position, at
	s.kept.mu.Unlock()
	return position, nil
}
