package ecssim

type deploymentConfiguration struct {
	MaximumPercent        *int `json:"maximumPercent,omitempty"`
	MinimumHealthyPercent *int `json:"minimumHealthyPercent,omitempty"`
}

type serviceOut struct {
	Service *serviceDocument `json:"service"`
}

type deploymentDocument struct {
	ID                 string `json:"id"`
	Status             string `json:"status"`
	TaskDefinition     string `json:"taskDefinition"`
	DesiredCount       int    `json:"desiredCount"`
	PendingCount       int    `json:"pendingCount"`
	RunningCount       int    `json:"runningCount"`
	FailedTasks        int    `json:"failedTasks"`
	CreatedAt          *stamp `json:"createdAt"`
	UpdatedAt          *stamp `json:"updatedAt"`
	LaunchType         string `json:"launchType"`
	RolloutState       string `json:"rolloutState"`
	RolloutStateReason string `json:"rolloutStateReason"`
}

type serviceDocument struct {
	ServiceArn              string                  `json:"serviceArn"`
	ServiceName             string                  `json:"serviceName"`
	ClusterArn              string                  `json:"clusterArn"`
	Status                  string                  `json:"status"`
	DesiredCount            int                     `json:"desiredCount"`
	RunningCount            int                     `json:"runningCount"`
	PendingCount            int                     `json:"pendingCount"`
	LaunchType              string                  `json:"launchType"`
	TaskDefinition          string                  `json:"taskDefinition"`
	SchedulingStrategy      string                  `json:"schedulingStrategy"`
	DeploymentController    map[string]string       `json:"deploymentController"`
	DeploymentConfiguration deploymentConfiguration `json:"deploymentConfiguration"`
	Deployments             []deploymentDocument    `json:"deployments"`
	Events                  []serviceEvent          `json:"events"`
	LoadBalancers           []struct{}              `json:"loadBalancers"`
	ServiceRegistries       []struct{}              `json:"serviceRegistries"`
	PlacementConstraints    []placementConstraint   `json:"placementConstraints"`
	PlacementStrategy       []placementStrategy     `json:"placementStrategy"`
	EnableExecuteCommand    bool                    `json:"enableExecuteCommand"`
	PropagateTags           string                  `json:"propagateTags"`
	CreatedAt               *stamp                  `json:"createdAt"`
	Tags                    tags                    `json:"tags,omitempty"`
}

func (sv *service) strategy() string {
	if sv.daemon {
		return strategyDaemon
	}
	return strategyReplica
}

func (sv *service) document() *serviceDocument {
	d := &serviceDocument{
		ServiceArn: sv.arn, ServiceName: sv.name, ClusterArn: sv.cluster.arn, Status: sv.status, DesiredCount: sv.desired,
		LaunchType: sv.spec.start.need.launchType, TaskDefinition: sv.primary().definition.arn, SchedulingStrategy: sv.strategy(),
		DeploymentController:    map[string]string{"type": "ECS"},
		DeploymentConfiguration: deploymentConfiguration{MaximumPercent: &sv.spec.maxPercent, MinimumHealthyPercent: &sv.spec.minPercent},
		Events:                  append([]serviceEvent{}, sv.events...), LoadBalancers: []struct{}{}, ServiceRegistries: []struct{}{},
		PlacementConstraints: append([]placementConstraint{}, sv.spec.constraints...),
		PlacementStrategy:    append([]placementStrategy{}, sv.spec.start.need.strategies...),
		EnableExecuteCommand: sv.spec.start.exec, PropagateTags: "NONE", CreatedAt: forAPI.stamp(sv.created),
	}
	for i, x := range sv.deployments {
		y := deploymentDocument{
			ID: x.id, Status: "ACTIVE", TaskDefinition: x.definition.arn, FailedTasks: x.failed, LaunchType: d.LaunchType,
			CreatedAt: forAPI.stamp(x.createdAt), UpdatedAt: forAPI.stamp(x.updatedAt),
			RolloutState: "IN_PROGRESS", RolloutStateReason: "ECS deployment " + x.id + " in progress.",
		}
		if i == 0 {
			y.Status, y.DesiredCount = "PRIMARY", sv.desired
		}
		if x.completed {
			y.RolloutState, y.RolloutStateReason = "COMPLETED", "ECS deployment "+x.id+" completed."
		}
		for _, t := range sv.tasks {
			switch {
			case t.startedBy != x.id:
			case t.last == lastRunning:
				y.RunningCount++
			case t.last == lastPending || t.last == lastProvisioning:
				y.PendingCount++
			}
		}
		d.RunningCount += y.RunningCount
		d.PendingCount += y.PendingCount
		d.Deployments = append(d.Deployments, y)
	}
	return d
}
