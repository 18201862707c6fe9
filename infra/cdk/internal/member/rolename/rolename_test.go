package rolename_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/member/rolename"
)

func TestNames(t *testing.T) {
	require.Equal(t, "blox-blox-drive-eu-west-1", rolename.Caller("blox", rolename.Drive, "eu-west-1"))
	require.Equal(t, "blox-blox-read-eu-west-1", rolename.Read("blox", "eu-west-1"))
	require.Equal(t, "blox-blox-scheduler-eu-west-1", rolename.Scheduler("blox", "eu-west-1"))
	require.Equal(t, "blox-blox-events-eu-west-1", rolename.Events("blox", "eu-west-1"))
	require.Equal(t, "arn:aws:iam::123456789012:role/name", rolename.ARN("aws", "123456789012", "name"))
}

// A member may lie in the installation's own account, in another region: no two roles of one account may be named the
// same.
func TestNamesDifferWithinAnAccount(t *testing.T) {
	seen := map[string]bool{}
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		for _, name := range []string{
			rolename.Caller("blox", rolename.Reconcile, region), rolename.Caller("blox", rolename.Drive, region),
			rolename.Caller("blox", rolename.API, region), rolename.Read("blox", region),
			rolename.Scheduler("blox", region), rolename.Events("blox", region),
		} {
			require.False(t, seen[name], name)
			seen[name] = true
		}
	}
}

func TestTheLongestNameFitsIAM(t *testing.T) {
	const installation, region = "abcdefghijklmnop", "ap-southeast-99" // 16 characters are allowed; no region is longer
	for _, name := range []string{
		rolename.Caller(installation, rolename.Reconcile, region), rolename.Read(installation, region),
		rolename.Scheduler(installation, region), rolename.Events(installation, region),
	} {
		require.LessOrEqual(t, len(name), 64)
	}
}
