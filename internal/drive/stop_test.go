package drive

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
)

// The original wrote "Stopped by deployment to NAME@v2".
func TestOriginalStopReasonNamesTheEnvironmentAndTheRevision(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	w.runs(1)
	w.look()
	w.now = w.now.Add(time.Minute)
	w.look()
	require.Equal(t, daemon.DeploymentCompleted, w.deployment("d-1").Status)
	old := w.slot(1).TaskARN
	w.revise(func(r *daemon.Revision) { r.DeploymentConfiguration.MinimumHealthyPercent = 0 })
	w.look()
	require.Equal(t, []string{old}, w.ecs.stopped, "the task, where the redesign passed its task definition")
	require.Equal(t, []string{"Blox environment log-agent@2: replaced by a newer revision"}, slices.Compact(w.ecs.stopReasons))
}
