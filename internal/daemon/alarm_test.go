package daemon

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A host has an older revision than the deployment's. Nobody reads alarms of a deployment that has ended or rolls back.
func TestAlarmsThatAreNotKnownHoldOnlyWhatTheyWatch(t *testing.T) {
	replaces := map[DeploymentStatus]bool{
		DeploymentRunning: false, DeploymentRollingBack: true, DeploymentCompleted: true, DeploymentRolledBack: true,
	}
	for status, want := range replaces {
		t.Run(string(status), func(t *testing.T) {
			s := fixture().with(1, running(1))
			s.Deployment.Status = status
			if status == DeploymentRollingBack || status == DeploymentRolledBack {
				s.Deployment.Revision, s.Deployment.RollbackTo = 3, 2
			}
			s.Revision.DeploymentConfiguration.Alarms = []string{"errors"}
			if want {
				require.Contains(t, brief(Plan(s, t0)), "stop i-001")
			} else {
				require.NotContains(t, brief(Plan(s, t0)), "stop i-001")
				s.Alarms = map[string]string{"errors": "OK"}
				require.Contains(t, brief(Plan(s, t0)), "stop i-001", "when they are known")
			}
		})
	}
}
