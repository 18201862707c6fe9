package state

// Lasting is the filter reduced to what a life cannot bring a task out of: if
// the filter matched a record of a task, Lasting matches every later record of
// it. What Lasting does not match now was never matched before, so that who
// follows changes need not tell a reader that it is gone.
//
// What stays is fixed when the task is made (cluster, startedBy, group and with
// it the service, task definition, launch type), or is set once, when the task
// is placed, and by both sources (container instance). The rest goes: statuses,
// health and stop code move. Availability zone, capacity provider, images,
// addresses, the times and with them the search are told by one source or one
// kind of event and not by the other, so that the next record may lack them.
func (f TaskFilter) Lasting() TaskFilter {
	return TaskFilter{
		Cluster:           f.Cluster,
		StartedBy:         f.StartedBy,
		Group:             f.Group,
		Service:           f.Service,
		Family:            f.Family,
		TaskDefinition:    f.TaskDefinition,
		LaunchType:        f.LaunchType,
		ContainerInstance: f.ContainerInstance,
	}
}

// Lasting is the filter reduced to what a life cannot bring a container instance
// out of, as TaskFilter.Lasting.
//
// What stays is the cluster and the EC2 instance that registered. Everything else
// may change or be taken away: people set and delete attributes, agents are
// updated, a stopped host may come back as another instance type, the capacity
// provider is told by Describe only.
func (f InstanceFilter) Lasting() InstanceFilter {
	return InstanceFilter{Cluster: f.Cluster, EC2InstanceID: f.EC2InstanceID}
}
