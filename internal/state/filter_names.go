package state

import (
	"fmt"
	"regexp"
)

// CheckPartition says what is wrong with an ARN's partition, if anything: a region
// lies in one partition only, so that an ARN with another one names nothing.
func (a ARN) CheckPartition() error {
	if want := PartitionOf(a.Region); a.Partition != want {
		return fmt.Errorf("invalid ARN %q: partition %q, allowed in region %s is %s", a, a.Partition, a.Region, want)
	}
	return nil
}

// ParseFamilyFilter reads what TaskFilter.Family can be and gives it back
// unchanged: the name of a family. A revision belongs to TaskFilter.TaskDefinition.
func ParseFamilyFilter(s string) (string, error) {
	switch {
	case namePattern.MatchString(s):
		return s, nil
	case isARN(s), familyRevisionPattern.MatchString(s):
		return "", fmt.Errorf("invalid family %q: allowed is %s; FAMILY:REVISION and ARNs are asked for with taskDefinition",
			shorten(s), allowedName)
	default:
		return "", fmt.Errorf("invalid family %q: allowed is %s", shorten(s), allowedName)
	}
}

// EC2 and Systems Manager have had ids of other lengths before, and may again: only
// the form is checked of all these.
var (
	ec2InstanceIDPattern    = regexp.MustCompile(`^m?i-[0-9a-z]{1,61}$`)
	instanceTypePattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$`)
	availabilityZonePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)
)

// ParseEC2InstanceID reads the id of an EC2 instance or, mi-…, of a machine outside
// of AWS, and gives it back unchanged.
func ParseEC2InstanceID(s string) (string, error) {
	if !ec2InstanceIDPattern.MatchString(s) {
		return "", fmt.Errorf("invalid EC2 instance id %q: allowed are i-… and mi-… with small letters and digits, "+
			"such as i-0a1b2c3d4e5f60718", shorten(s))
	}
	return s, nil
}

// ParseInstanceType reads an EC2 instance type and gives it back unchanged. Which
// there are is not known here.
func ParseInstanceType(s string) (string, error) {
	if !instanceTypePattern.MatchString(s) {
		return "", fmt.Errorf("invalid instance type %q: allowed are at most 64 letters, digits, dots and hyphens, "+
			"such as m7g.large", shorten(s))
	}
	return s, nil
}

// ParseAvailabilityZone reads an availability zone's name and gives it back
// unchanged. Which there are is not known here.
func ParseAvailabilityZone(s string) (string, error) {
	if !availabilityZonePattern.MatchString(s) {
		return "", fmt.Errorf("invalid availability zone %q: allowed are at most 64 letters, digits and hyphens, "+
			"such as eu-west-1a", shorten(s))
	}
	return s, nil
}
