package ecssim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func TestPagesHoldAHundredAndSurviveChange(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(25, ecssim.HostSpec{CPU: 10_000, Memory: 10_000})
	w.define("app", nil)
	for range 25 {
		out, err := w.ecs.RunTask(w.ctx(), run("app", func(in *ecs.RunTaskInput) { in.Count = aws.Int32(10) }))
		require.NoError(t, err)
		require.Len(t, out.Tasks, 10)
	}
	w.pass(5 * time.Second)
	seen := map[string]int{}
	pager := ecs.NewListTasksPaginator(w.ecs, &ecs.ListTasksInput{Cluster: aws.String("prod")})
	for n := 0; pager.HasMorePages(); n++ {
		page, err := pager.NextPage(w.ctx())
		require.NoError(t, err)
		require.Len(t, page.TaskArns, []int{100, 100, 50}[n])
		for _, arn := range page.TaskArns {
			seen[arn]++
		}
		// The last one listed goes away, and its place in the list with it.
		w.stop(&page.TaskArns[len(page.TaskArns)-1])
	}
	require.Len(t, seen, 250, "each once: %v", seen)
	require.Len(t, w.listTasks(func(in *ecs.ListTasksInput) { in.DesiredStatus = types.DesiredStatusStopped }), 3, "stopping counts as STOPPED")

	var listed []string
	hostPager := ecs.NewListContainerInstancesPaginator(w.ecs, &ecs.ListContainerInstancesInput{Cluster: aws.String("prod"), MaxResults: aws.Int32(10)})
	for hostPager.HasMorePages() {
		page, err := hostPager.NextPage(w.ctx())
		require.NoError(t, err)
		listed = append(listed, page.ContainerInstanceArns...)
	}
	require.Equal(t, hosts, listed)

	for _, bad := range []int32{0, 101} {
		_, err := w.ecs.ListTasks(w.ctx(), &ecs.ListTasksInput{Cluster: aws.String("prod"), MaxResults: &bad})
		require.ErrorContains(t, err, "between 1 and 100")
	}
	_, err := w.ecs.ListTasks(w.ctx(), &ecs.ListTasksInput{Cluster: aws.String("prod"), NextToken: aws.String("made up")})
	require.ErrorContains(t, err, "Invalid token")
}

func TestListTasksFilters(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(2, ecssim.HostSpec{})
	w.define("a", nil)
	w.define("b", nil)
	a := w.start(run("a", func(in *ecs.RunTaskInput) { in.StartedBy = aws.String("me") }))
	b := w.start(run("b", nil))
	stopped := w.start(run("a", nil))
	w.stop(stopped.TaskArn)
	require.Equal(t, []string{*a.TaskArn, *b.TaskArn}, w.listTasks(nil), "RUNNING unless asked otherwise")
	require.Equal(t, []string{*a.TaskArn}, w.listTasks(func(in *ecs.ListTasksInput) { in.Family = aws.String("a") }))
	require.Equal(t, []string{*a.TaskArn}, w.listTasks(func(in *ecs.ListTasksInput) { in.StartedBy = aws.String("me") }))
	require.Equal(t, []string{*b.TaskArn}, w.listTasks(func(in *ecs.ListTasksInput) { in.ContainerInstance = &hosts[1] }))
	require.Empty(t, w.listTasks(func(in *ecs.ListTasksInput) { in.LaunchType = types.LaunchTypeExternal }))
	require.Empty(t, w.listTasks(func(in *ecs.ListTasksInput) { in.DesiredStatus = types.DesiredStatusPending }))
	require.Equal(t, []string{*stopped.TaskArn}, w.listTasks(func(in *ecs.ListTasksInput) {
		in.Family, in.DesiredStatus = aws.String("a"), types.DesiredStatusStopped
	}))
	for says, in := range map[string]*ecs.ListTasksInput{
		"startedBy must be the only filter":               {StartedBy: aws.String("me"), Family: aws.String("a")},
		"The referenced container instance was not found": {ContainerInstance: aws.String("none")},
		"ServiceNotFoundException":                        {ServiceName: aws.String("none")},
		"desiredStatus":                                   {DesiredStatus: "DONE"},
	} {
		in.Cluster = aws.String("prod")
		_, err := w.ecs.ListTasks(w.ctx(), in)
		require.ErrorContains(t, err, says)
	}
}

func TestListContainerInstancesFilters(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(3, ecssim.HostSpec{})
	w.drain(hosts[2], types.ContainerInstanceStatusDraining)
	require.NoError(t, w.sim.DisconnectAgent(w.now, "prod", hosts[1]))
	list := func(status types.ContainerInstanceStatus, filter string) []string {
		in := &ecs.ListContainerInstancesInput{Cluster: aws.String("prod"), Status: status}
		if filter != "" {
			in.Filter = &filter
		}
		out, err := w.ecs.ListContainerInstances(w.ctx(), in)
		require.NoError(t, err)
		return out.ContainerInstanceArns
	}
	require.Equal(t, hosts, list("", ""))
	require.Equal(t, hosts[:2], list(types.ContainerInstanceStatusActive, ""))
	require.Equal(t, hosts[2:], list(types.ContainerInstanceStatusDraining, ""))
	require.Equal(t, hosts[1:2], list("", "agentConnected == false"))
	_, err := w.ecs.ListContainerInstances(w.ctx(), &ecs.ListContainerInstancesInput{Cluster: aws.String("prod"), Filter: aws.String("zone == a")})
	require.ErrorContains(t, err, `line 1 column 1: unknown subject "zone"`)
	_, err = w.ecs.ListContainerInstances(w.ctx(), &ecs.ListContainerInstancesInput{Cluster: aws.String("prod"), Status: "INACTIVE"})
	require.ErrorContains(t, err, "status")
}

func TestBatches(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	many := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%032d", i)
		}
		return list
	}
	out, err := w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: many(100)})
	require.NoError(t, err)
	require.Len(t, out.Failures, 100)
	require.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task/prod/"+many(1)[0], *out.Failures[0].Arn)
	_, err = w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: many(101)})
	require.ErrorContains(t, err, "InvalidParameterException: Tasks can have at most 100 items, 101 were given.")
	_, err = w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: []string{}})
	require.ErrorContains(t, err, "Tasks cannot be empty.")
	_, err = w.ecs.DescribeContainerInstances(w.ctx(), &ecs.DescribeContainerInstancesInput{Cluster: aws.String("prod"), ContainerInstances: many(101)})
	require.ErrorContains(t, err, "at most 100 items")
	_, err = w.ecs.DescribeServices(w.ctx(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: many(11)})
	require.ErrorContains(t, err, "at most 10 items")
}

func TestClusters(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	_, err := w.ecs.CreateCluster(w.ctx(), &ecs.CreateClusterInput{})
	require.NoError(t, err)
	list, err := w.ecs.ListClusters(w.ctx(), &ecs.ListClustersInput{})
	require.NoError(t, err)
	require.Equal(t, []string{"arn:aws:ecs:us-east-1:123456789012:cluster/default", "arn:aws:ecs:us-east-1:123456789012:cluster/prod"}, list.ClusterArns)

	host := w.hosts(1, ecssim.HostSpec{})[0]
	w.define("app", nil)
	w.start(run("app", nil))
	out, err := w.ecs.DescribeClusters(w.ctx(), &ecs.DescribeClustersInput{Clusters: []string{"prod", "none"}})
	require.NoError(t, err)
	require.Equal(t, []string{"MISSING"}, reasons(out.Failures))
	require.Equal(t, int32(1), out.Clusters[0].PendingTasksCount)
	require.Equal(t, int32(1), out.Clusters[0].RegisteredContainerInstancesCount)

	_, err = w.ecs.DeleteCluster(w.ctx(), &ecs.DeleteClusterInput{Cluster: aws.String("prod")})
	require.ErrorContains(t, err, "ClusterContainsContainerInstancesException")
	require.NoError(t, w.sim.RemoveHost(w.now, "prod", host))
	_, err = w.ecs.DeleteCluster(w.ctx(), &ecs.DeleteClusterInput{Cluster: aws.String("prod")})
	require.NoError(t, err)
	_, err = w.ecs.ListTasks(w.ctx(), &ecs.ListTasksInput{Cluster: aws.String("prod")})
	require.ErrorContains(t, err, "ClusterNotFoundException")
	_, err = w.ecs.CreateCluster(w.ctx(), &ecs.CreateClusterInput{ClusterName: aws.String("no spaces")})
	require.ErrorContains(t, err, "InvalidParameterException")
}

func TestTaskDefinitions(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	first := w.define("app", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("1")}}
		in.ContainerDefinitions[0].DockerLabels = map[string]string{"kept": "yes"}
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), Name: aws.String("http")}}
		in.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	})
	second := w.define("app", nil)
	w.define("app-2", nil)
	require.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task-definition/app:1", first)

	out, err := w.ecs.DescribeTaskDefinition(w.ctx(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &first, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
	require.NoError(t, err)
	c := out.TaskDefinition.ContainerDefinitions[0]
	require.Equal(t, "yes", c.DockerLabels["kept"], "what the simulator does not use it gives back all the same")
	require.Equal(t, types.PortMapping{ContainerPort: aws.Int32(80), HostPort: aws.Int32(0), Protocol: types.TransportProtocolTcp, Name: aws.String("http")}, c.PortMappings[0])
	require.True(t, *c.Essential)
	require.Len(t, out.Tags, 1)

	latest, err := w.ecs.DescribeTaskDefinition(w.ctx(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("app")})
	require.NoError(t, err)
	require.Equal(t, second, *latest.TaskDefinition.TaskDefinitionArn)
	_, err = w.ecs.DeregisterTaskDefinition(w.ctx(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("app:2")})
	require.NoError(t, err)
	w.hosts(1, ecssim.HostSpec{})
	_, err = w.ecs.RunTask(w.ctx(), run("app:2", nil))
	require.ErrorContains(t, err, "TaskDefinition is inactive")
	require.Equal(t, first, *w.start(run("app", nil)).TaskDefinitionArn, "a family is its newest active revision")

	list, err := w.ecs.ListTaskDefinitions(w.ctx(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("app"), Status: types.TaskDefinitionStatusInactive})
	require.NoError(t, err)
	require.Equal(t, []string{second}, list.TaskDefinitionArns)
	for range 10 {
		w.define("app", nil)
	}
	var arns []string
	pager := ecs.NewListTaskDefinitionsPaginator(w.ecs, &ecs.ListTaskDefinitionsInput{Sort: types.SortOrderDesc, MaxResults: aws.Int32(5)})
	for pager.HasMorePages() {
		page, err := pager.NextPage(w.ctx())
		require.NoError(t, err)
		arns = append(arns, page.TaskDefinitionArns...)
	}
	require.Len(t, arns, 12)
	require.Equal(t, []string{"app-2:1", "app:12", "app:11"}, []string{arns[0][51:], arns[1][51:], arns[2][51:]}, "revisions are numbers, not text")
	families, err := w.ecs.ListTaskDefinitionFamilies(w.ctx(), &ecs.ListTaskDefinitionFamiliesInput{})
	require.NoError(t, err)
	require.Equal(t, []string{"app", "app-2"}, families.Families)

	for says, change := range map[string]func(*ecs.RegisterTaskDefinitionInput){
		"At least one of 'memory' or 'memoryReservation'": func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Memory = nil },
		"Family contains invalid characters":              func(in *ecs.RegisterTaskDefinitionInput) { in.Family = aws.String("a b") },
		"'distinctInstance' is not supported": func(in *ecs.RegisterTaskDefinitionInput) {
			in.PlacementConstraints = []types.TaskDefinitionPlacementConstraint{{Type: "distinctInstance"}}
		},
		"Fargate requires the network mode awsvpc": func(in *ecs.RegisterTaskDefinitionInput) {
			in.RequiresCompatibilities = []types.Compatibility{types.CompatibilityFargate}
		},
		"between 1 and 10 are allowed": func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions = []types.ContainerDefinition{} },
		"must match": func(in *ecs.RegisterTaskDefinitionInput) {
			in.NetworkMode = types.NetworkModeHost
			in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(81)}}
		},
		"essential": func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Essential = aws.Bool(false) },
	} {
		in := &ecs.RegisterTaskDefinitionInput{Family: aws.String("bad"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("m"), Image: aws.String("i"), Memory: aws.Int32(1)}}}
		change(in)
		_, err := w.ecs.RegisterTaskDefinition(w.ctx(), in)
		require.ErrorContains(t, err, says)
	}
}
