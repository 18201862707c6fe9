package state

import "fmt"

// KeyOf builds the key of a task or container instance from its ARN and its
// cluster's. Short ARNs name no cluster, so the cluster's ARN is always needed;
// what both say must agree, or a record would be stored under a cluster it does
// not belong to.
func KeyOf(kind Kind, clusterARN, thingARN string) (Key, error) {
	cluster, err := ParseARN(clusterARN)
	if err != nil {
		return Key{}, fmt.Errorf("reading the cluster's ARN: %w", err)
	}
	if cluster.Kind != ARNCluster {
		return Key{}, fmt.Errorf("ARN %q is of a %s: allowed is a cluster's", clusterARN, cluster.Kind)
	}
	thing, err := ParseARN(thingARN)
	if err != nil {
		return Key{}, err
	}
	if thing.Kind != kind.ARNKind() {
		return Key{}, fmt.Errorf("ARN %q is of a %s: allowed is a %s's", thingARN, thing.Kind, kind.ARNKind())
	}
	if thing.Account != cluster.Account || thing.Region != cluster.Region || (thing.Cluster != "" && thing.Cluster != cluster.ID) {
		return Key{}, fmt.Errorf("%s %q does not belong to cluster %q", thing.Kind, thingARN, clusterARN)
	}
	return Key{Kind: kind, Cluster: ClusterKey{Account: cluster.Account, Region: cluster.Region, Name: cluster.ID}, ID: thing.ID}, nil
}
