package ecssim

import (
	"fmt"
	"time"
)

// SetTaskHealth is the verdict of the health checks of a running task from now on, with an event if it changed. A service
// replaces a task of its own that is unhealthy; other tasks go on. The error is for a task that is unknown, does not run,
// or has no health check.
func (s *Simulator) SetTaskHealth(now time.Time, cluster, task string, healthy bool) error {
	s.runDue(now)
	c, err := s.cluster(cluster)
	if err != nil {
		return fmt.Errorf("ecssim: health of task %s of cluster %s: %w", task, cluster, err)
	}
	t := c.task(task)
	if t == nil || t.last != lastRunning || !t.definitionHasHealthCheck() {
		return fmt.Errorf("ecssim: health of task %s of cluster %s: expected one that is RUNNING and has a health check", task, cluster)
	}
	verdict := healthUnhealthy
	if healthy {
		verdict = healthHealthy
	}
	t.report(func(*container) string { return verdict })
	return nil
}

// report is what the health checks say now; nothing is told of what did not change.
func (t *task) report(verdict func(*container) string) {
	changed := false
	for _, c := range t.containers {
		if c.definition.HealthCheck == nil || c.last != lastRunning {
			continue
		}
		if v := verdict(c); v != c.health {
			c.health, changed = v, true
		}
	}
	if changed {
		t.cluster.sim.emitTask(t)
	}
	if t.service != nil && t.health() == healthUnhealthy {
		t.stop("ServiceSchedulerInitiated", fmt.Sprintf("Task failed container health checks (service %s)", t.service.name))
	}
}
