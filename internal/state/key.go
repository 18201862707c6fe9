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
