package state_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

const registry = "210987654321.dkr.ecr.eu-west-1.amazonaws.com:443/team/log-agent"

const (
	taskDetail = `{"version":4,"lastStatus":"RUNNING","desiredStatus":"RUNNING","group":"service:web","startedBy":"ecs-svc/91",
		"taskDefinitionArn":"` + prefix + `task-definition/log-agent:12",
		"containerInstanceArn":"` + prefix + `container-instance/edge/3b9e",
		"launchType":"EC2","healthStatus":"UNHEALTHY","availabilityZone":"eu-west-1b","capacityProviderName":"asg-blue",
		"startedAt":"2026-11-20T11:00:00.250Z",
		"attachments":[{"type":"eni","details":[{"name":"subnetId","value":"subnet-1"},{"name":"macAddress","value":"0a:00"},
			{"name":"privateIPv4Address","value":"10.0.7.9"},{"name":"ipv6Address","value":"2a05:d018:1c::4f"}]}],
		"containers":[
			{"name":"probe","image":"localhost:5000/probe","imageDigest":"sha256:77"},
			{"name":"Sidecar","image":"envoy","networkInterfaces":[{"privateIpv4Address":"10.0.7.10","ipv6Address":"2a05:0:0::1"}]},
			{"name":"agent","image":"` + registry + `:4.2.0","imageDigest":"sha256:8a4f","runtimeId":"5e9d1c","reason":"OutOfMemory: Größe ΑΣ"}]}`
	hostDetail = `{"version":9,"status":"DRAINING","agentConnected":false,"ec2InstanceId":"i-0a1b","statusReason":"Spot interruption",
		"registeredAt":"2026-11-18T22:01:40.500Z","versionInfo":{"agentVersion":"1.103.0","dockerVersion":"DockerVersion: 27.5.1"},
		"capacityProviderName":"asg-blue","attributes":[{"name":"ecs.availability-zone","value":"eu-west-1b"},
			{"name":"ecs.instance-type","value":"m8g.2xlarge"},{"name":"ecs.capability.ecr-auth"},
			{"name":"ring","value":"canary:2"},{"name":"rack"}]}`
)

func taskRecord(t require.TestingT, detail string) state.Record {
	return record(t, taskKey("0f5d"), detail)
}

func hostRecord(t require.TestingT, detail string) state.Record {
	return record(t, instanceKey("3b9e"), detail)
}

func record(t require.TestingT, key state.Key, detail string) state.Record {
	seen := see(key, state.SourceEvent, 4, 0, detail)
	r, _, err := state.Apply(state.Record{}, seen, noon, visibleFor)
	require.NoError(t, err)
	return r
}

func TestTaskFilterByDetail(t *testing.T) {
	started := time.Date(2026, time.November, 20, 11, 0, 0, 250e6, time.UTC)
	const definition, service = prefix + "task-definition/log-agent", prefix + "service/"
	const otherAccount = "arn:aws:ecs:" + region + ":999999999999:"
	const otherRegion = "arn:aws:ecs:us-east-1:" + account + ":"
	tests := map[string]struct {
		filter state.TaskFilter
		want   bool
	}{
		"family":                               {state.TaskFilter{TaskDefinition: "log-agent"}, true},
		"family and revision":                  {state.TaskFilter{TaskDefinition: "log-agent:12"}, true},
		"task definition ARN":                  {state.TaskFilter{TaskDefinition: definition + ":12"}, true},
		"the beginning of a family":            {state.TaskFilter{TaskDefinition: "log"}, false},
		"the end of a family":                  {state.TaskFilter{TaskDefinition: "agent:12"}, false},
		"another revision":                     {state.TaskFilter{TaskDefinition: "log-agent:1"}, false},
		"the end of a revision":                {state.TaskFilter{TaskDefinition: "log-agent:2"}, false},
		"another revision's ARN":               {state.TaskFilter{TaskDefinition: definition + ":1"}, false},
		"task definition of another account":   {state.TaskFilter{TaskDefinition: otherAccount + "task-definition/log-agent:12"}, false},
		"task definition of another region":    {state.TaskFilter{TaskDefinition: otherRegion + "task-definition/log-agent:12"}, false},
		"task definition of another partition": {state.TaskFilter{TaskDefinition: "arn:aws-cn:ecs:" + region + ":" + account + ":task-definition/log-agent:12"}, false},
		"some other ARN":                       {state.TaskFilter{TaskDefinition: prefix + "service/log-agent:12"}, false},

		"service":                         {state.TaskFilter{Service: "web"}, true},
		"service ARN":                     {state.TaskFilter{Service: service + "edge/web"}, true},
		"short service ARN":               {state.TaskFilter{Service: service + "web"}, true},
		"another service":                 {state.TaskFilter{Service: "we"}, false},
		"a group is no service":           {state.TaskFilter{Service: "service:web"}, false},
		"service of another cluster":      {state.TaskFilter{Service: service + "core/web"}, false},
		"service of another account":      {state.TaskFilter{Service: otherAccount + "service/edge/web"}, false},
		"service of another region":       {state.TaskFilter{Service: otherRegion + "service/edge/web"}, false},
		"a task's ARN is not a service's": {state.TaskFilter{Service: prefix + "task/edge/web"}, false},

		"launch type in any case":   {state.TaskFilter{LaunchType: "ec2"}, true},
		"another launch type":       {state.TaskFilter{LaunchType: "FARGATE"}, false},
		"health status in any case": {state.TaskFilter{HealthStatus: "unhealthy"}, true},
		"another health status":     {state.TaskFilter{HealthStatus: "HEALTHY"}, false},
		"stop code of a live task":  {state.TaskFilter{StopCode: "UserInitiated"}, false},
		"zone":                      {state.TaskFilter{AvailabilityZone: "eu-west-1b"}, true},
		"another zone":              {state.TaskFilter{AvailabilityZone: "eu-west-1"}, false},
		"capacity provider":         {state.TaskFilter{CapacityProvider: "asg-blue"}, true},
		"another capacity provider": {state.TaskFilter{CapacityProvider: "asg"}, false},

		"image":                            {state.TaskFilter{Image: registry + ":4.2.0"}, true},
		"image without tag":                {state.TaskFilter{Image: registry}, true},
		"image that has no tag":            {state.TaskFilter{Image: "envoy"}, true},
		"image with the digest of its tag": {state.TaskFilter{Image: registry + "@sha256:8a4f"}, true},
		"image without tag, with a port":   {state.TaskFilter{Image: "localhost:5000/probe"}, true},
		"its digest":                       {state.TaskFilter{Image: "localhost:5000/probe@sha256:77"}, true},
		"a registry is no image":           {state.TaskFilter{Image: "localhost"}, false},
		"another tag":                      {state.TaskFilter{Image: registry + ":4.2"}, false},
		"another digest":                   {state.TaskFilter{Image: registry + "@sha256:8a"}, false},
		"image without registry":           {state.TaskFilter{Image: "log-agent"}, false},
		"image up to the registry's port":  {state.TaskFilter{Image: "210987654321.dkr.ecr.eu-west-1.amazonaws.com"}, false},

		"address of the attachment":           {state.TaskFilter{PrivateIP: "10.0.7.9"}, true},
		"IPv6 address of the attachment":      {state.TaskFilter{PrivateIP: "2a05:d018:001c:0:0::4F"}, true},
		"address of a container":              {state.TaskFilter{PrivateIP: "10.0.7.10"}, true},
		"IPv6 address of a container":         {state.TaskFilter{PrivateIP: "2a05::1"}, true},
		"IPv4 address in IPv6":                {state.TaskFilter{PrivateIP: "::ffff:10.0.7.9"}, true},
		"another address":                     {state.TaskFilter{PrivateIP: "10.0.7.1"}, false},
		"another detail of the attachment":    {state.TaskFilter{PrivateIP: "subnet-1"}, false},
		"an address that is none":             {state.TaskFilter{PrivateIP: "10.0.7"}, false},
		"no address is not an empty one":      {state.TaskFilter{PrivateIP: "::"}, false},
		"started since that moment":           {state.TaskFilter{StartedSince: started}, true},
		"started after it":                    {state.TaskFilter{StartedSince: started.Add(1)}, false},
		"started until that moment":           {state.TaskFilter{StartedUntil: started}, false},
		"started until later":                 {state.TaskFilter{StartedUntil: started.Add(1)}, true},
		"stopped since: a live task is not":   {state.TaskFilter{StoppedSince: time.Unix(0, 0)}, false},
		"stopped until: a live task is not":   {state.TaskFilter{StoppedUntil: noon.AddDate(1, 0, 0)}, false},
		"everything, and beside the detail":   {state.TaskFilter{LaunchType: "EC2", TaskDefinition: "log-agent:12", Group: "service:web"}, true},
		"one of the detail and one beside it": {state.TaskFilter{LaunchType: "EC2", Group: "service:api"}, false},
	}
	task := taskRecord(t, taskDetail)
	for name, test := range tests {
		require.Equal(t, test.want, test.filter.Matches(task), name)
	}
}

func TestTaskFilterOfStoppedTasks(t *testing.T) {
	stopped := noon.Add(-time.Minute)
	task := taskRecord(t, `{"version":6,"lastStatus":"STOPPED","stopCode":"EssentialContainerExited","stoppedAt":"2026-11-20T11:59:00Z"}`)
	matching := []state.TaskFilter{
		{StopCode: "essentialcontainerexited"},
		{StoppedSince: stopped},
		{StoppedUntil: stopped.Add(1)},
		{StoppedSince: stopped, StoppedUntil: stopped.Add(1), LastStatus: "STOPPED"},
	}
	for _, filter := range matching {
		require.True(t, filter.Matches(task), filter)
	}
	other := []state.TaskFilter{
		{StopCode: "UserInitiated"},
		{StoppedSince: stopped.Add(1)},
		{StoppedUntil: stopped},
		// It never started, and is of no task definition, service or host.
		{StartedSince: time.Unix(0, 0)},
		{StartedUntil: noon},
		{TaskDefinition: "log-agent"},
		{Service: "web"},
		{ContainerInstance: "3b9e"},
		{AvailabilityZone: "eu-west-1b"},
		{Image: "envoy"},
		{PrivateIP: "10.0.7.9"},
		{HealthStatus: "UNKNOWN"},
		{LaunchType: "EC2"},
	}
	for _, filter := range other {
		require.False(t, filter.Matches(task), filter)
	}
}

func TestServiceGroup(t *testing.T) {
	for service, group := range map[string]string{
		"": "", "web": "service:web", prefix + "service/web": "service:web", prefix + "service/edge/web": "service:web",
	} {
		require.Equal(t, group, state.ServiceGroup(service))
	}
}

func TestInstanceFilterByDetail(t *testing.T) {
	registered := time.Date(2026, time.November, 18, 22, 1, 40, 500e6, time.UTC)
	attribute := func(name string) []state.AttributeFilter { return []state.AttributeFilter{{Name: name}} }
	valued := func(name, value string) []state.AttributeFilter {
		return []state.AttributeFilter{{Name: name, Value: &value}}
	}
	tests := map[string]struct {
		filter state.InstanceFilter
		want   bool
	}{
		"EC2 instance":                     {state.InstanceFilter{EC2InstanceID: "i-0a1b"}, true},
		"another EC2 instance":             {state.InstanceFilter{EC2InstanceID: "i-0a1"}, false},
		"type":                             {state.InstanceFilter{InstanceType: "m8g.2xlarge"}, true},
		"another type":                     {state.InstanceFilter{InstanceType: "m8g"}, false},
		"zone":                             {state.InstanceFilter{AvailabilityZone: "eu-west-1b"}, true},
		"another zone":                     {state.InstanceFilter{AvailabilityZone: "eu-west-1a"}, false},
		"agent version":                    {state.InstanceFilter{AgentVersion: "1.103.0"}, true},
		"the beginning of a version":       {state.InstanceFilter{AgentVersion: "1.103"}, false},
		"capacity provider":                {state.InstanceFilter{CapacityProvider: "asg-blue"}, true},
		"another capacity provider":        {state.InstanceFilter{CapacityProvider: "blue"}, false},
		"attribute":                        {state.InstanceFilter{Attributes: attribute("ring")}, true},
		"attribute with its value":         {state.InstanceFilter{Attributes: valued("ring", "canary:2")}, true},
		"attribute with another value":     {state.InstanceFilter{Attributes: valued("ring", "canary")}, false},
		"attribute with no value, has one": {state.InstanceFilter{Attributes: valued("ring", "")}, false},
		"attribute with no value":          {state.InstanceFilter{Attributes: valued("rack", "")}, true},
		"attribute it does not have":       {state.InstanceFilter{Attributes: attribute("room")}, false},
		"attribute not had has no value":   {state.InstanceFilter{Attributes: valued("room", "")}, false},
		"two attributes":                   {state.InstanceFilter{Attributes: append(attribute("rack"), valued("ring", "canary:2")...)}, true},
		"one of two attributes":            {state.InstanceFilter{Attributes: append(attribute("ring"), attribute("room")...)}, false},
		"registered since that moment":     {state.InstanceFilter{RegisteredSince: registered}, true},
		"registered after it":              {state.InstanceFilter{RegisteredSince: registered.Add(1)}, false},
		"registered until that moment":     {state.InstanceFilter{RegisteredUntil: registered}, false},
		"registered until later":           {state.InstanceFilter{RegisteredUntil: registered.Add(1)}, true},
		"of the detail and beside it":      {state.InstanceFilter{InstanceType: "m8g.2xlarge", Status: "draining"}, true},
		"only one of the two":              {state.InstanceFilter{InstanceType: "m8g.2xlarge", Status: "ACTIVE"}, false},
	}
	host := hostRecord(t, hostDetail)
	for name, test := range tests {
		require.Equal(t, test.want, test.filter.Matches(host), name)
	}
	bare := hostRecord(t, `{"version":9,"status":"ACTIVE"}`)
	for name, test := range tests {
		if test.filter.Status != "ACTIVE" {
			require.False(t, test.filter.Matches(bare), "a host of which nothing is told: %s", name)
		}
	}
}

// What one source told survives in the merged detail, so filters see it.
func TestFiltersLookAtTheMergedDetail(t *testing.T) {
	host := hostRecord(t, `{"version":4,"status":"ACTIVE","attributes":[{"name":"ring","value":"old"}]}`)
	described := see(instanceKey("3b9e"), state.SourceDescribed, 4, 9,
		`{"version":4,"status":"ACTIVE","capacityProviderName":"asg","attributes":[{"name":"ring","value":"new"}]}`)
	host, outcome, err := state.Apply(host, described, noon, visibleFor)
	require.NoError(t, err)
	require.Equal(t, state.Refresh, outcome)
	require.True(t, state.InstanceFilter{CapacityProvider: "asg", Attributes: []state.AttributeFilter{{Name: "ring", Value: new("new")}}}.Matches(host))
	require.False(t, state.InstanceFilter{Attributes: []state.AttributeFilter{{Name: "ring", Value: new("old")}}}.Matches(host))
	require.True(t, state.InstanceFilter{Search: "new"}.Matches(host))
	require.False(t, state.InstanceFilter{Search: "old"}.Matches(host))
}

func TestADetailThatCannotBeReadMatchesWhatIsBesideIt(t *testing.T) {
	task := taskRecord(t, taskDetail)
	task.Event.Detail = json.RawMessage(`{"availabilityZone":`)
	require.True(t, state.TaskFilter{Family: "log-agent", LastStatus: "RUNNING", Search: "ECS-SVC"}.Matches(task))
	require.False(t, state.TaskFilter{AvailabilityZone: "eu-west-1b"}.Matches(task))
	require.False(t, state.TaskFilter{Search: "availabilityZone"}.Matches(task))
	host := hostRecord(t, hostDetail)
	host.Event.Detail = nil
	require.True(t, state.InstanceFilter{Status: "DRAINING", Search: "i-0a"}.Matches(host))
	require.False(t, state.InstanceFilter{InstanceType: "m8g.2xlarge"}.Matches(host))
}
