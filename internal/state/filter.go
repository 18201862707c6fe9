package state

import "strings"

// TaskFilter picks tasks. An empty field restricts nothing; all the others must
// match.
type TaskFilter struct {
	Cluster       ClusterKey
	LastStatus    string // any case
	DesiredStatus string // any case
	StartedBy     string
	Group         string
	Family        string
	// ContainerInstance is an id or an ARN.
	ContainerInstance string
}

// Matches says whether the filter picks the record; it never picks anything but
// a task.
func (f TaskFilter) Matches(r Record) bool {
	return r.Kind == KindTask &&
		clusterMatches(f.Cluster, r.Cluster) &&
		statusMatches(f.LastStatus, r.Task.LastStatus) &&
		statusMatches(f.DesiredStatus, r.Task.DesiredStatus) &&
		textMatches(f.StartedBy, r.Task.StartedBy) &&
		textMatches(f.Group, r.Task.Group) &&
		textMatches(f.Family, r.Task.Family) &&
		f.containerInstanceMatches(r)
}

// containerInstanceMatches compares ids. An ARN in the filter must also lie in
// the task's account, region and, if it names one, cluster: an id is unique in
// practice, but a filter that names another account asks for nothing here.
func (f TaskFilter) containerInstanceMatches(r Record) bool {
	if f.ContainerInstance == "" || f.ContainerInstance == r.Task.ContainerInstanceID {
		return true
	}
	arn, err := ParseARN(f.ContainerInstance)
	return err == nil &&
		arn.Kind == ARNContainerInstance &&
		arn.ID == r.Task.ContainerInstanceID &&
		arn.Account == r.Cluster.Account &&
		arn.Region == r.Cluster.Region &&
		textMatches(arn.Cluster, r.Cluster.Name)
}

// InstanceFilter picks container instances. An empty field restricts nothing;
// all the others must match.
type InstanceFilter struct {
	Cluster        ClusterKey
	Status         string // any case
	AgentConnected *bool
}

// Matches says whether the filter picks the record; it never picks anything but
// a container instance.
func (f InstanceFilter) Matches(r Record) bool {
	return r.Kind == KindContainerInstance &&
		clusterMatches(f.Cluster, r.Cluster) &&
		statusMatches(f.Status, r.Instance.Status) &&
		(f.AgentConnected == nil || *f.AgentConnected == r.Instance.AgentConnected)
}

func clusterMatches(wanted, is ClusterKey) bool { return wanted == ClusterKey{} || wanted == is }

func statusMatches(wanted, is string) bool { return wanted == "" || strings.EqualFold(wanted, is) }

func textMatches(wanted, is string) bool { return wanted == "" || wanted == is }
