package state

import (
	"cmp"
	"fmt"
	"strings"
)

// partitions are all that AWS has, sorted.
var partitions = []string{"aws", "aws-cn", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-us-gov"}

// Partitions lists the AWS partitions whose ARNs ParseARN reads, sorted.
func Partitions() []string { return append([]string(nil), partitions...) }

// PartitionOf names the partition a region lies in. A region says it by its
// name alone; one that follows no special pattern belongs to the commercial
// partition "aws".
func PartitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "eusc-"):
		return "aws-eusc"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.Contains(region, "-iso-"):
		return "aws-iso"
	case strings.Contains(region, "-isob-"):
		return "aws-iso-b"
	case strings.Contains(region, "-isoe-"):
		return "aws-iso-e"
	case strings.Contains(region, "-isof-"):
		return "aws-iso-f"
	default:
		return "aws"
	}
}

// ClusterKey names a cluster among all accounts and regions. A name alone is
// not enough: every account has its own cluster "default" in every region. The
// partition is left out because the region implies it.
type ClusterKey struct {
	Account string
	Region  string
	Name    string
}

// String is "account/region/name"; ParseClusterKey reads it back.
func (k ClusterKey) String() string { return k.Account + "/" + k.Region + "/" + k.Name }

// ARN is the cluster's ARN in the given partition; an empty partition means the
// one its region lies in.
func (k ClusterKey) ARN(partition string) string {
	if partition == "" {
		partition = PartitionOf(k.Region)
	}
	return ARN{Partition: partition, Account: k.Account, Region: k.Region, Kind: ARNCluster, Cluster: k.Name, ID: k.Name}.String()
}

// Compare orders cluster keys by account, region and name.
func (k ClusterKey) Compare(other ClusterKey) int {
	return cmp.Or(
		cmp.Compare(k.Account, other.Account),
		cmp.Compare(k.Region, other.Region),
		cmp.Compare(k.Name, other.Name),
	)
}

// ParseClusterKey reads "account/region/name".
func ParseClusterKey(s string) (ClusterKey, error) {
	parts := strings.Split(s, "/")
	s = shorten(s) // for the messages
	if len(parts) != 3 {
		return ClusterKey{}, fmt.Errorf("invalid cluster key %q: allowed is ACCOUNT/REGION/NAME", s)
	}
	key := ClusterKey{Account: parts[0], Region: parts[1], Name: parts[2]}
	if !accountPattern.MatchString(key.Account) {
		return ClusterKey{}, fmt.Errorf("invalid cluster key %q: account %q, allowed are 12 digits", s, shorten(key.Account))
	}
	if !regionPattern.MatchString(key.Region) {
		return ClusterKey{}, fmt.Errorf("invalid cluster key %q: region %q, allowed is a region name such as eu-west-1",
			s, shorten(key.Region))
	}
	if err := ValidateClusterName(key.Name); err != nil {
		return ClusterKey{}, fmt.Errorf("invalid cluster key %q: %w", s, err)
	}
	return key, nil
}

// MarshalText lets a cluster key be a JSON string, a map's key and a table's attribute.
func (k ClusterKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *ClusterKey) UnmarshalText(text []byte) error {
	parsed, err := ParseClusterKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// ClusterKeyFromARN names the cluster of a cluster's ARN, or of the long ARN of
// something in a cluster. A short ARN and a task definition's ARN name no
// cluster, which is an error.
func ClusterKeyFromARN(s string) (ClusterKey, error) {
	arn, err := ParseARN(s)
	if err != nil {
		return ClusterKey{}, err
	}
	if arn.Cluster == "" {
		return ClusterKey{}, fmt.Errorf("ARN %q names no cluster: allowed are a cluster's ARN and long ARNs such as task/CLUSTER/ID", s)
	}
	return ClusterKey{Account: arn.Account, Region: arn.Region, Name: arn.Cluster}, nil
}

// ValidateClusterName says what is wrong with a cluster name, if anything. One
// character is enough for ECS.
func ValidateClusterName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("cluster name %q, allowed are %s", shorten(name), allowedName)
	}
	return nil
}

// shorten keeps an error message readable whatever was given to us.
func shorten(s string) string {
	const maxQuotedLength = 300
	if len(s) <= maxQuotedLength {
		return s
	}
	return s[:maxQuotedLength] + "..."
}
