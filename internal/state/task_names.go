package state

import "strings"

// Key identifies the task by its ARN and its cluster's ARN. The cluster's ARN
// is needed because the short form of a task ARN does not name the cluster.
func (t Task) Key() (Key, error) { return KeyOf(KindTask, t.ClusterARN, t.TaskARN) }

// Family is the task definition family, empty if the task names no task
// definition.
func (t Task) Family() string {
	family, _ := t.taskDefinition()
	return family
}

// TaskDefinitionRevision is the revision of the task definition, 0 if the task
// names none.
func (t Task) TaskDefinitionRevision() int {
	_, revision := t.taskDefinition()
	return revision
}

func (t Task) taskDefinition() (family string, revision int) {
	arn, err := ParseARN(t.TaskDefinitionARN)
	if err != nil {
		return "", 0
	}
	return arn.TaskDefinition()
}

// ServiceName is the name of the service that started the task, empty for a
// stand-alone task. ECS says it only through the group "service:NAME".
func (t Task) ServiceName() string {
	name, ok := strings.CutPrefix(t.Group, "service:")
	if !ok {
		return ""
	}
	return name
}

// ContainerInstanceID is the id of the container instance the task is on, empty
// on Fargate and before placement.
func (t Task) ContainerInstanceID() string {
	if t.ContainerInstanceARN == "" {
		return ""
	}
	arn, err := ParseARN(t.ContainerInstanceARN)
	if err != nil {
		return ""
	}
	return arn.ID
}

// Stopped says whether the task has ended: it holds no ports and no memory any
// more.
func (t Task) Stopped() bool { return taskStatusEnded(t.LastStatus) }

func taskStatusEnded(lastStatus string) bool {
	return lastStatus == TaskStopped || lastStatus == TaskDeleted
}
