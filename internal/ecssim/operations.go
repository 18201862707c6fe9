package ecssim

// operations is the dispatch table: every action there is. It is filled in init because unknownAction lists it, which Go
// would otherwise call an initialization cycle.
var operations map[string]operation

func init() {
	operations = map[string]operation{
		"CreateCluster":    typed(clusterModify, (*Simulator).createCluster),
		"DeleteCluster":    typed(clusterModify, (*Simulator).deleteCluster),
		"DescribeClusters": typed(clusterRead, (*Simulator).describeClusters),
		"ListClusters":     typed(clusterRead, (*Simulator).listClusters),

		"RegisterTaskDefinition":     typed(definitionModify, (*Simulator).registerTaskDefinition),
		"DeregisterTaskDefinition":   typed(definitionModify, (*Simulator).deregisterTaskDefinition),
		"DescribeTaskDefinition":     typed(definitionRead, (*Simulator).describeTaskDefinition),
		"ListTaskDefinitions":        typed(definitionRead, (*Simulator).listTaskDefinitions),
		"ListTaskDefinitionFamilies": typed(definitionRead, (*Simulator).listTaskDefinitionFamilies),

		"RegisterContainerInstance":     typed(agentCalls, (*Simulator).registerContainerInstance),
		"DeregisterContainerInstance":   typed(clusterResourceModify, (*Simulator).deregisterContainerInstance),
		"DescribeContainerInstances":    typed(clusterResourceRead, (*Simulator).describeContainerInstances),
		"ListContainerInstances":        typed(clusterResourceRead, (*Simulator).listContainerInstances),
		"UpdateContainerInstancesState": typed(clusterResourceModify, (*Simulator).updateContainerInstancesState),

		"PutAttributes":    typed(clusterResourceModify, (*Simulator).putAttributes),
		"DeleteAttributes": typed(clusterResourceModify, (*Simulator).deleteAttributes),
		"ListAttributes":   typed(clusterResourceRead, (*Simulator).listAttributes),

		"RunTask":       {clusterResourceModify, runTask},
		"StartTask":     typed(clusterResourceModify, (*Simulator).startTask),
		"StopTask":      typed(clusterResourceModify, (*Simulator).stopTask),
		"ListTasks":     typed(clusterResourceRead, (*Simulator).listTasks),
		"DescribeTasks": typed(clusterResourceRead, (*Simulator).describeTasks),

		"CreateService":    typed(serviceModify, (*Simulator).createService),
		"UpdateService":    typed(serviceModify, (*Simulator).updateService),
		"DeleteService":    typed(serviceModify, (*Simulator).deleteService),
		"DescribeServices": typed(serviceRead, (*Simulator).describeServices),
		"ListServices":     typed(serviceRead, (*Simulator).listServices),

		"TagResource":         typed(tagModify, (*Simulator).tagResource),
		"UntagResource":       typed(tagModify, (*Simulator).untagResource),
		"ListTagsForResource": typed(tagRead, (*Simulator).listTagsForResource),
	}
}
