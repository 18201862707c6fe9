package httpapi

import (
	"context"
	"strings"

	"github.com/blox/blox/internal/state"
)

// arnPrefix tells an ARN from a name or an id, which have no colon.
const arnPrefix = "arn:"

// parseCluster reads a cluster given by name or ARN. named says that only the name is known.
func parseCluster(s string) (key state.ClusterKey, named bool, err error) {
	if !strings.HasPrefix(s, arnPrefix) {
		return state.ClusterKey{Name: s}, true, state.ValidateClusterName(s)
	}
	arn, err := state.ParseARN(s)
	if err != nil {
		return state.ClusterKey{}, false, err
	}
	if arn.Kind != state.ARNCluster {
		return state.ClusterKey{}, false, wrong("", nil, "%s is the ARN of a %s, allowed is a cluster's", shorten(s), arn.Kind)
	}
	return state.ClusterKey{Account: arn.Account, Region: arn.Region, Name: arn.Cluster}, false, arn.CheckPartition()
}

// cluster finds the cluster that is meant by a name or an ARN among all that are stored. A name that nobody knows means
// the one in the installation's own account and region, and is guessed. location is where it stands in the request.
func (s *server) cluster(ctx context.Context, location, given string) (key state.ClusterKey, guessed bool, err error) {
	key, named, err := parseCluster(given)
	if err != nil {
		return state.ClusterKey{}, false, badRequest(wrong(location, given, "invalid cluster ARN or name: %s", err))
	}
	if !named {
		return key, false, nil
	}
	found, err := s.knownCluster(ctx, location, key.Name)
	if err != nil {
		return state.ClusterKey{}, false, err
	}
	if found == nil {
		return s.own(key.Name), true, nil
	}
	return *found, false, nil
}

// unknownCluster is what is said of a name that no known cluster has; an ARN would be made up.
const unknownCluster = "no cluster of the name %s is known"

// watchedCluster is cluster for streams. A name that nobody knows is refused: a stream keeps to the cluster that it began
// with, and by then the name may turn out to be another account's or region's.
func (s *server) watchedCluster(ctx context.Context, given string) (state.ClusterKey, error) {
	key, named, err := parseCluster(given)
	if err != nil || !named {
		key, _, err = s.cluster(ctx, "query.cluster", given)
		return key, err
	}
	found, err := s.knownCluster(ctx, "query.cluster", key.Name)
	if err != nil {
		return state.ClusterKey{}, err
	}
	if found == nil {
		return state.ClusterKey{}, notFound("query.cluster: "+unknownCluster+": give the ARN to wait for it", key.Name)
	}
	return *found, nil
}

// knownCluster is the stored cluster of that name, nil if there is none.
func (s *server) knownCluster(ctx context.Context, location, name string) (*state.ClusterKey, error) {
	found, err := s.clustersNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &found[0], nil
	default:
		arns := make([]string, len(found))
		for i, key := range found {
			arns[i] = key.ARN("")
		}
		return nil, badRequest(wrong(location, name,
			"%d clusters have this name: give one of the ARNs %s", len(found), strings.Join(arns, ", ")))
	}
}

// own is the cluster of that name in the installation's account and region.
func (s *server) own(name string) state.ClusterKey {
	return state.ClusterKey{Account: s.Account, Region: s.Region, Name: name}
}

// EntityPath is the part of a path that names a task or container instance: {cluster}/{arn...}.
type EntityPath struct {
	Cluster string `path:"cluster" doc:"The cluster's name or ARN, URL-escaped."`
	ARN     string `path:"arn" doc:"Id or ARN; takes the rest of the path, slashes included."`
}

// joined gives cluster and ARN as they were meant. Some proxies, API Gateway among them, unescape a path before they hand
// it on: the slash of a cluster's ARN then ends {cluster} too early.
func (p EntityPath) joined() (cluster, arn string) {
	if strings.HasPrefix(p.Cluster, arnPrefix) && !strings.Contains(p.Cluster, "/") {
		name, rest, ok := strings.Cut(p.ARN, "/")
		if ok {
			return p.Cluster + "/" + name, rest
		}
	}
	return p.Cluster, p.ARN
}

// entityKey finds what a path names; guessed says that its cluster is. An ARN says account and region itself, so that a
// cluster's name is enough with it.
func (s *server) entityKey(ctx context.Context, kind state.Kind, path EntityPath) (found state.Key, guessed bool, err error) {
	cluster, given := path.joined()
	if !strings.HasPrefix(given, arnPrefix) {
		if strings.Contains(given, "/") || len(given) > maxIDLength {
			return state.Key{}, false, badRequest(wrong("path.arn", shorten(given), "invalid %s: allowed is an id, or an ARN arn:PARTITION:ecs:REGION:ACCOUNT:%s/CLUSTER/ID",
				kind.ARNKind(), kind.ARNKind()))
		}
		key, guessed, err := s.cluster(ctx, "path.cluster", cluster)
		return state.Key{Kind: kind, Cluster: key, ID: given}, guessed, err
	}
	arn, err := state.ParseARN(given)
	if err == nil {
		err = arn.CheckPartition()
	}
	if err != nil {
		return state.Key{}, false, badRequest(wrong("path.arn", shorten(given), "%s", err))
	}
	key, named, err := parseCluster(cluster)
	if err != nil {
		return state.Key{}, false, badRequest(wrong("path.cluster", shorten(cluster), "invalid cluster ARN or name: %s", err))
	}
	if named {
		key.Account, key.Region = arn.Account, arn.Region
	}
	switch {
	case arn.Kind != kind.ARNKind():
		err = wrong("path.arn", given, "this is the ARN of a %s, allowed is that of a %s", arn.Kind, kind.ARNKind())
	case arn.Account != key.Account || arn.Region != key.Region || (arn.Cluster != "" && arn.Cluster != key.Name):
		err = wrong("path.arn", given, "this is not in cluster %s: give the cluster of the ARN", cluster)
	}
	if err != nil {
		return state.Key{}, false, badRequest(err)
	}
	return state.Key{Kind: kind, Cluster: key, ID: arn.ID}, false, nil
}
