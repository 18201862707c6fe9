// Package rolename names the roles by which an installation's functions reach its member accounts and regions. Both
// sides must be able to write the other's ARN down before it exists: the functions work out which role to assume from an
// account and a region, and a member's roles name in their trust the only roles that may assume them. Names that
// CloudFormation makes up would allow neither.
//
// All names hold the region, because IAM is one for all regions of an account. The longest is 46 characters, IAM allows
// 64.
package rolename

import "fmt"

// Functions that reach members. The others never call ECS.
const (
	Reconcile = "reconcile"
	Drive     = "drive"
	API       = "api"
)

// Caller is the name of a function's role in the installation's own account, in the installation's region.
func Caller(installation, function, region string) string {
	return fmt.Sprintf("blox-%s-%s-%s", installation, function, region)
}

// Read is the name of the role in a member that lists and describes. Functions reconcile and api assume it.
func Read(installation, region string) string {
	return fmt.Sprintf("blox-%s-read-%s", installation, region)
}

// Scheduler is the name of the role in a member that starts and stops tasks. Function drive assumes it.
func Scheduler(installation, region string) string {
	return fmt.Sprintf("blox-%s-scheduler-%s", installation, region)
}

// Events is the name of the role with which a member's rule hands its events to the installation.
func Events(installation, region string) string {
	return fmt.Sprintf("blox-%s-events-%s", installation, region)
}

// ARN is the ARN of a role in an account. The partition may be a CloudFormation token.
func ARN(partition, account, name string) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, name)
}
