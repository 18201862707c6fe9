package state

import (
	"cmp"
	"fmt"
	"strings"
)

// Kind says what a record describes.
type Kind string

// The things that cluster state holds.
const (
	KindTask              Kind = "task"
	KindContainerInstance Kind = "instance"
)

// ARNKind is the resource type in the ARNs of this kind.
func (k Kind) ARNKind() ARNKind {
	if k == KindContainerInstance {
		return ARNContainerInstance
	}
	return ARNTask
}

// Key identifies a task or container instance among all clusters.
type Key struct {
	Kind    Kind
	Cluster ClusterKey
	ID      string
}

// String is "kind/account/region/cluster/id"; ParseKey reads it back.
func (k Key) String() string { return string(k.Kind) + "/" + k.Cluster.String() + "/" + k.ID }

// Compare orders keys by kind, cluster and id.
func (k Key) Compare(other Key) int {
	return cmp.Or(
		cmp.Compare(k.Kind, other.Kind),
		k.Cluster.Compare(other.Cluster),
		cmp.Compare(k.ID, other.ID),
	)
}

// ParseKey reads what Key.String wrote.
func ParseKey(s string) (Key, error) {
	kind, rest, _ := strings.Cut(s, "/")
	i := strings.LastIndexByte(rest, '/')
	if (Kind(kind) != KindTask && Kind(kind) != KindContainerInstance) || i < 0 || i == len(rest)-1 {
		return Key{}, fmt.Errorf("invalid key %q: allowed is %s/ACCOUNT/REGION/CLUSTER/ID or %s/ACCOUNT/REGION/CLUSTER/ID",
			shorten(s), KindTask, KindContainerInstance)
	}
	cluster, err := ParseClusterKey(rest[:i])
	if err != nil {
		return Key{}, fmt.Errorf("invalid key %q: %w", shorten(s), err)
	}
	return Key{Kind: Kind(kind), Cluster: cluster, ID: rest[i+1:]}, nil
}

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
