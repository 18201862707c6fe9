package daemon

import (
	"fmt"
	"slices"
)

// alarmFiring is CloudWatch's word for an alarm that has gone off.
const alarmFiring = "ALARM"

// alarmsKnown says that the alarms were read, or that none are watched: after the end, and during a rollback, which an
// alarm cannot stop. While they are not known nothing is replaced: a rollout that cannot be watched is not what was asked
// for.
func (p *planner) alarmsKnown() bool {
	if d := p.Deployment; d != nil && (d.Status.Ended() || d.Status == DeploymentRollingBack) {
		return true
	}
	return len(p.Revision.DeploymentConfiguration.Alarms) == 0 || p.Alarms != nil
}

// firing are the deployment's alarms that have gone off, in the order of the configuration.
func (p *planner) firing() []string {
	var firing []string
	for _, name := range p.Revision.DeploymentConfiguration.Alarms {
		if p.Alarms[name] == alarmFiring {
			firing = append(firing, name)
		}
	}
	return firing
}

// noteAlarms remembers the alarms that had gone off before the deployment began. They are not its doing, and it may be
// there to put an end to them: after a rollback CloudWatch takes minutes to see that all is well, and the next deployment
// would fail at once. One that has been quiet since is watched like the others. (Amazon ECS leaves such alarms out for
// the whole deployment.)
func (p *planner) noteAlarms(d Deployment) Deployment {
	if p.Alarms == nil {
		return d
	}
	firing := p.firing()
	if d.Status == DeploymentPending {
		d.AlarmsBefore = firing
		return d
	}
	d.AlarmsBefore = slices.DeleteFunc(slices.Clone(d.AlarmsBefore), func(name string) bool { return !slices.Contains(firing, name) })
	if len(d.AlarmsBefore) == 0 {
		d.AlarmsBefore = nil
	}
	return d
}

// alarmed says which alarm went off under the deployment; empty is none.
func (p *planner) alarmed(d Deployment) string {
	for _, name := range p.firing() {
		if !slices.Contains(d.AlarmsBefore, name) {
			return fmt.Sprintf("CloudWatch alarm %s is in ALARM", name)
		}
	}
	return ""
}
