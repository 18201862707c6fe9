package daemon

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// failed is an idle slot whose attempts under a deployment failed in a row; the next is due in an hour.
func failed(deployment string, revision int) func(*Snapshot, *Host) {
	return slotted(func(s *Slot) {
		s.DeploymentID, s.Revision, s.Failures, s.Refusals, s.RetryAt = deployment, revision, 7, 7, ago(-time.Hour)
		s.Reason = "daemon stopped: EssentialContainerExited"
	})
}

func TestWhatFailedBeforeIsNoReasonToWait(t *testing.T) {
	require.Equal(t, []string{"observe i-001"}, ofHosts(Plan(fixture().with(1, failed("d-2", 2)), t0)), "its own failures are")
	for name, s := range map[string]Snapshot{
		"another deployment":                    fixture().with(1, failed("d-1", 2)),
		"another revision, after a rollback":    rolledBack(fixture()).with(1, failed("d-2", 2)),
		"another revision of the same deployed": fixture().with(1, failed("d-2", 1)),
	} {
		a := Plan(s, t0)[0]
		require.Equal(t, Start, a.Kind, name)
		require.Zero(t, a.Slot.Failures, name)
		require.Zero(t, a.Slot.Refusals, name)
	}
}

// A revision that differs from the one before in how it is rolled out only brings the same task. When its deployment has
// failed, hosts get the one before: what fails as the one fails as the other, and must not be tried again without a pause.
func TestARevisionOfTheSameTaskBacksOffAsTheOneBefore(t *testing.T) {
	s := fixture()
	s.Deployment.Status, s.Deployment.BasedOn = DeploymentFailed, 1
	same := s.Revision
	same.Number = 1
	s.Base = &same
	s = s.with(1, failed("d-2", 2), slotChange(func(slot *Slot) { slot.TaskHash = same.TaskHash() }))
	require.Equal(t, []string{"observe i-001"}, ofHosts(Plan(s, t0)))
}

// The deployment of a group that leaves the host out was stopped after it had taken the daemon away.
func TestAHostThatOnlyTheBaseSelectsGetsTheBase(t *testing.T) {
	s := fixture()
	s.Deployment.Status, s.Deployment.BasedOn = DeploymentStopped, 1
	base := s.Revision
	base.Number = 1
	s.Base = &base
	s.Revision.Selector = Selector{Expression: "attribute:ring == a"}
	s = s.with(1, attributed("ring", "c"), slotted(func(slot *Slot) { slot.Revision, slot.DeploymentID = 2, "d-2" }))
	starts := Plan(s, t0)
	require.Equal(t, Start, starts[0].Kind)
	require.Equal(t, 1, starts[0].Slot.Revision)
}

func TestSinceWhenAHostIsOnItsWay(t *testing.T) {
	claim := func(s Snapshot) Slot { return *Plan(s, t0)[0].Slot }
	first := claim(fixture().with(1))
	require.Equal(t, t0, *first.UpdatingSince, "from the claim of its first")

	stoppedFor := slotted(func(s *Slot) { s.DeploymentID, s.Revision, s.UpdatingSince = "d-1", 1, ago(time.Minute) })
	s := fixture().with(1, stoppedFor)
	s.Deployment.CreatedAt = t0.Add(-time.Hour)
	require.Equal(t, *ago(time.Minute), *claim(s).UpdatingSince, "from the stop of its old one")

	s.Deployment.CreatedAt = t0.Add(-time.Second)
	require.Equal(t, t0, *claim(s).UpdatingSince, "not from what an overtaken deployment did")

	again := claim(fixture().with(1, slotted(func(s *Slot) { s.DeploymentID, s.Revision = "d-2", 2 })))
	require.Nil(t, again.UpdatingSince, "a daemon that had arrived is only started again")

	onItsWay := slotChange(func(s *Slot) { s.UpdatingSince = ago(time.Minute) })
	require.Nil(t, tended(t, minHealthy(fixture(), 10).with(1, running(2), onItsWay)).UpdatingSince, "it has arrived when it is well")
	require.NotNil(t, tended(t, minHealthy(fixture(), 10).with(1, running(2), young(), onItsWay)).UpdatingSince)
}

func TestAClaimRemembersWhatItAsksFor(t *testing.T) {
	s := fixture().with(1)
	s.Revision.Template.Tags = []Tag{{Key: "team", Value: "edge"}}
	slot := *Plan(s, t0)[0].Slot
	require.Equal(t, s.Revision.TaskHash(), slot.TaskHash)
	require.Equal(t, 2, slot.Revision)
	require.Equal(t, "d-2", slot.DeploymentID)
}

func TestAnotherTemplateIsAnotherTask(t *testing.T) {
	hashed := func(s Snapshot, hash string) Snapshot {
		return s.with(1, running(2), slotChange(func(s *Slot) { s.TaskHash = hash }))
	}
	same := fixture().Revision.TaskHash()
	require.Equal(t, 2, tended(t, hashed(completed(fixture()), same)).Revision)
	require.Zero(t, tended(t, hashed(completed(fixture()), "other")).Revision, "whatever its slot says")

	older := hashed(completed(fixture()), same)
	older.Tasks[0].TaskDefinition = taskDefinition(1)
	after := tended(t, older)
	require.Empty(t, after.TaskHash, "a claim was answered with an older task")
	require.Equal(t, SlotStopping, after.State)

	based := fixture()
	base := based.Revision
	base.Number, base.TaskDefinition = 1, taskDefinition(1)
	based.Base = &base
	based = paused(based).with(1, running(1), slotChange(func(s *Slot) { s.Revision, s.TaskHash = 0, base.TaskHash() }))
	require.Equal(t, 1, tended(t, based).Revision, "the base is known, too")
}

func TestAnInactiveTaskDefinitionIsNotStarted(t *testing.T) {
	s := fixture()
	s.Inactive = map[string]bool{taskDefinition(2): true}
	s = s.with(1)
	actions, waits := waitsOf(s)
	require.Equal(t, []string{"observe i-001"}, actions)
	require.Contains(t, waits, "log-agent:2 is INACTIVE")
	slot := tended(t, s)
	require.True(t, slot.Blocked)
	require.Contains(t, slot.Reason, "INACTIVE")

	s.Slots = []Slot{slot}
	s.Inactive = nil
	require.Equal(t, []string{"start i-001"}, ofHosts(Plan(s, t0)), "it was registered again")
}

func TestTheRequestHoldsTheWholeTemplate(t *testing.T) {
	s := fixture()
	s.Revision.Template = TaskTemplate{
		NetworkConfiguration: &NetworkConfiguration{Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}},
		Overrides:            json.RawMessage(`{"cpu":"256"}`), EnableExecuteCommand: true, EnableECSManagedTags: true,
		PropagateTags: "TASK_DEFINITION", Tags: []Tag{{Key: "team", Value: "edge"}},
	}
	slot := *Plan(s.with(1), t0)[0].Slot
	require.JSONEq(t, `{
		"cluster": "arn:aws:ecs:eu-west-1:210987654321:cluster/edge", "count": 1, "launchType": "EC2",
		"taskDefinition": "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:2",
		"group": "blox:blox:env", "startedBy": "blox/d-2",
		"clientToken": "`+ClientToken("env", 2, hostKey(1), slot.ContainerInstanceARN, 1)+`",
		"placementConstraints": [{"type": "distinctInstance"}, {"type": "memberOf", "expression": "ec2InstanceId == i-001"}],
		"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
		"overrides": {"cpu": "256"}, "enableExecuteCommand": true, "enableECSManagedTags": true,
		"propagateTags": "TASK_DEFINITION", "tags": [{"key": "team", "value": "edge"}]
	}`, string(slot.Request))

	bare := *Plan(fixture().with(1), t0)[0].Slot
	require.NotContains(t, string(bare.Request), "networkConfiguration", "an empty one is refused for other network modes")
	require.NotContains(t, string(bare.Request), "tags")
}

func TestAHeldDeploymentStartsTheBase(t *testing.T) {
	s := fixture()
	base := s.Revision
	base.Number, base.TaskDefinition = 1, taskDefinition(1)
	s.Base = &base
	var request RunRequest
	slot := *Plan(paused(s).with(1), t0)[0].Slot
	require.Equal(t, 1, slot.Revision)
	require.Equal(t, base.TaskHash(), slot.TaskHash)
	require.NoError(t, json.Unmarshal(slot.Request, &request))
	require.Equal(t, taskDefinition(1), request.TaskDefinition)
}
