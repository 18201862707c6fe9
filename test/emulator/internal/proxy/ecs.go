package proxy

import (
	"encoding/json"
	"strings"

	"github.com/blox/blox/test/emulator/internal/policy"
)

type ecsCall struct {
	Cluster, Task, TaskDefinition, ContainerInstance string
	Clusters, Tasks, ContainerInstances, Services    []string
	CapacityProviders                                []string
	Attributes                                       []struct{ TargetID string }
}

// ecs follows the service authorization reference: which resource an action is asked for, and that the cluster is a
// condition key of those whose resource is no cluster. Tagging and passing roles, which RunTask and RegisterTaskDefinition
// entail, are asked by ECS and not by us; they are among the dependent permissions.
func (p Place) ecs(action string, body []byte) ([]policy.Request, error) {
	var in ecsCall
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	cluster := in.Cluster
	if cluster == "" {
		cluster = "default"
	}
	cluster = p.ecsARN("cluster", "", cluster)
	name := cluster[strings.LastIndexByte(cluster, '/')+1:]
	request := func(resource string) policy.Request {
		return policy.Request{Action: "ecs:" + action, Resource: resource, Context: map[string][]string{"ecs:cluster": {cluster}}}
	}
	each := func(kind string, ids []string) (requests []policy.Request) {
		for _, id := range ids {
			requests = append(requests, request(p.ecsARN(kind, name, id)))
		}
		return requests
	}
	switch action {
	case "ListClusters", "DescribeTaskDefinition", "RegisterTaskDefinition":
		return []policy.Request{{Action: "ecs:" + action, Resource: "*"}}, nil
	case "DescribeClusters":
		var requests []policy.Request
		for _, c := range in.Clusters {
			requests = append(requests, policy.Request{Action: "ecs:" + action, Resource: p.ecsARN("cluster", "", c)})
		}
		return requests, nil
	case "DescribeCapacityProviders":
		var requests []policy.Request
		for _, c := range in.CapacityProviders {
			requests = append(requests, policy.Request{Action: "ecs:" + action, Resource: p.ecsARN("capacity-provider", "", c)})
		}
		return requests, nil
	case "ListContainerInstances":
		return []policy.Request{request(cluster)}, nil
	case "ListTasks":
		// Its resource is the container instance asked for, or any of the cluster.
		instance := in.ContainerInstance
		if instance == "" {
			instance = "*"
		}
		return each("container-instance", []string{instance}), nil
	case "DescribeTasks":
		return each("task", in.Tasks), nil
	case "DescribeContainerInstances":
		return each("container-instance", in.ContainerInstances), nil
	case "DescribeServices":
		return each("service", in.Services), nil
	case "PutAttributes", "DeleteAttributes":
		var targets []string
		for _, a := range in.Attributes {
			targets = append(targets, a.TargetID)
		}
		return each("container-instance", targets), nil
	case "StopTask":
		return each("task", []string{in.Task}), nil
	case "RunTask":
		return []policy.Request{request(p.ecsARN("task-definition", "", in.TaskDefinition))}, nil
	default:
		return nil, nil
	}
}

// ecsARN is the ARN of what a call names by ARN or by id; the ids of tasks and their like stand below their cluster.
func (p Place) ecsARN(kind, cluster, id string) string {
	if cluster != "" {
		id = cluster + "/" + id[strings.LastIndexByte(id, '/')+1:]
	} else if strings.HasPrefix(id, "arn:") {
		return id
	}
	return p.arn("ecs", kind+"/"+id)
}
