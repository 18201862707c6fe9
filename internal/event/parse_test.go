package event_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

func TestTaskStateChangeIsAnObservation(t *testing.T) {
	at := time.Date(2026, time.November, 20, 10, 0, 0, 0, time.UTC)
	got, err := event.Parse(eventtest.Task(
		eventtest.Account("123456789012"), eventtest.Region("us-west-2"), eventtest.Cluster("blue"),
		eventtest.ID("aa11"), eventtest.Version(7), eventtest.Time(at), eventtest.LastStatus("STOPPED"),
	))
	require.NoError(t, err)
	require.Nil(t, got.Hint)
	require.False(t, got.Ignored())
	observation := *got.Observation
	require.NotEmpty(t, observation.Detail)
	observation.Detail = nil
	require.Equal(t, state.Observation{
		Key: state.Key{
			Kind:    state.KindTask,
			Cluster: state.ClusterKey{Account: "123456789012", Region: "us-west-2", Name: "blue"},
			ID:      "aa11",
		},
		ARN:        "arn:aws:ecs:us-west-2:123456789012:task/blue/aa11",
		Version:    7,
		Source:     state.SourceEvent,
		ObservedAt: at,
	}, observation)
}

func TestContainerInstanceStateChangeIsAnObservation(t *testing.T) {
	got, err := event.Parse(eventtest.ContainerInstance(eventtest.Version(9), eventtest.ShortARNs(), eventtest.Cluster("x")))
	require.NoError(t, err)
	require.Equal(t, state.Key{
		Kind:    state.KindContainerInstance,
		Cluster: state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: "x"},
		ID:      eventtest.DefaultInstanceID,
	}, got.Observation.Key, "a short ARN takes its cluster from clusterArn")
	require.Equal(t, int64(9), got.Observation.Version)
}

func TestEventsWithoutVersionAreHints(t *testing.T) {
	cluster := state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: "edge"}
	task := &event.Hint{Cluster: cluster, Kind: state.KindTask, IDs: []string{"aa11"}}
	instance := &event.Hint{Cluster: cluster, Kind: state.KindContainerInstance, IDs: []string{"bb22"}}
	tests := map[string]struct {
		raw  []byte
		want *event.Hint
	}{
		"instance health":        {eventtest.ContainerInstanceHealth(eventtest.ID("bb22")), instance},
		"task, no version":       {eventtest.Task(eventtest.ID("aa11"), eventtest.WithoutField("version")), task},
		"task, version zero":     {eventtest.Task(eventtest.ID("aa11"), eventtest.Version(0)), task},
		"instance, no version":   {eventtest.ContainerInstance(eventtest.ID("bb22"), eventtest.WithoutField("version")), instance},
		"instance, no status":    {eventtest.ContainerInstance(eventtest.ID("bb22"), eventtest.WithoutField("version"), eventtest.WithoutField("status")), instance},
		"no time in the event":   {eventtest.ContainerInstanceHealth(eventtest.ID("bb22"), eventtest.WithoutEnvelopeField("time")), instance},
		"health with more to it": {eventtest.ContainerInstanceHealth(eventtest.ID("bb22"), eventtest.Field("version", "not a number")), instance},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse(test.raw)
			require.NoError(t, err)
			require.Nil(t, got.Observation)
			require.Equal(t, test.want, got.Hint)
		})
	}
}

func TestHealthOfAHostThatHasNoContainerInstanceIsIgnored(t *testing.T) {
	got, err := event.Parse(eventtest.ContainerInstanceHealth(eventtest.WithoutField("containerInstanceArn")))
	require.NoError(t, err)
	require.True(t, got.Ignored())
}

func TestEnvelopeMayLeaveThingsOut(t *testing.T) {
	got, err := event.Parse(eventtest.Task(
		eventtest.WithoutEnvelopeField("account"), eventtest.WithoutEnvelopeField("region"), eventtest.WithoutEnvelopeField("source"),
		eventtest.WithoutEnvelopeField("id"), eventtest.WithoutEnvelopeField("resources"), eventtest.WithoutEnvelopeField("time"),
	))
	require.NoError(t, err)
	require.Equal(t, eventtest.DefaultAccount, got.Account)
	require.Equal(t, eventtest.DefaultRegion, got.Region)
	require.Equal(t, eventtest.DefaultTime, got.Time, "updatedAt stands in for the time")
	require.Equal(t, eventtest.DefaultTime, got.Observation.ObservedAt)
}

func TestInvalidEventsSayWhy(t *testing.T) {
	field, without := eventtest.Field, eventtest.WithoutField
	envelope := eventtest.EnvelopeField
	const cluster = "arn:aws:ecs:eu-west-1:210987654321:cluster/edge"
	tests := map[string]struct {
		raw    []byte
		reason string
	}{
		"nothing":            {nil, event.ReasonNotJSON},
		"blank":              {[]byte(" \n"), event.ReasonNotJSON},
		"text":               {[]byte("hello"), event.ReasonNotJSON},
		"cut off":            {eventtest.Task()[:700], event.ReasonNotJSON},
		"two events":         {append(eventtest.Task(), eventtest.Task()...), event.ReasonNotJSON},
		"list":               {[]byte("[]"), event.ReasonNotJSON},
		"null":               {[]byte("null"), event.ReasonNotJSON},
		"not UTF-8":          {[]byte("{\"id\":\"\xff\"}"), event.ReasonNotJSON},
		"nested too deeply":  {[]byte(`{"detail":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`), event.ReasonNotJSON},
		"too large":          {eventtest.Task(field("stoppedReason", strings.Repeat("x", event.MaxBytes))), event.ReasonTooLarge},
		"empty object":       {[]byte("{}"), event.ReasonUnknownDetailType},
		"unknown type":       {eventtest.Task(envelope("detail-type", "EC2 Instance State-change Notification")), event.ReasonUnknownDetailType},
		"type in lower case": {eventtest.Task(envelope("detail-type", "ecs task state change")), event.ReasonUnknownDetailType},
		"other source":       {eventtest.Task(envelope("source", "aws.ec2")), event.ReasonUnknownSource},
		"no detail":          {eventtest.Task(eventtest.WithoutEnvelopeField("detail")), event.ReasonMissingDetail},
		"detail is null":     {[]byte(`{"detail-type":"ECS Task State Change","detail":null}`), event.ReasonMissingDetail},
		"no time at all":     {eventtest.Task(eventtest.WithoutEnvelopeField("time"), without("updatedAt")), event.ReasonMissingTime},

		"task without ARN":             {eventtest.Task(without("taskArn")), event.ReasonMissingARN},
		"task without cluster":         {eventtest.Task(without("clusterArn")), event.ReasonMissingARN},
		"instance without ARN":         {eventtest.ContainerInstance(without("containerInstanceArn")), event.ReasonMissingARN},
		"health without cluster":       {eventtest.ContainerInstanceHealth(without("clusterArn")), event.ReasonMissingARN},
		"task with a broken ARN":       {eventtest.Task(field("taskArn", "arn:aws:ecs:eu-west-1:210987654321:task/")), event.ReasonInvalidARN},
		"task with an instance's ARN":  {eventtest.Task(field("taskArn", "arn:aws:ecs:eu-west-1:210987654321:container-instance/edge/1")), event.ReasonInvalidARN},
		"cluster with a task's ARN":    {eventtest.Task(field("clusterArn", "arn:aws:ecs:eu-west-1:210987654321:task/edge/1")), event.ReasonInvalidARN},
		"broken task definition":       {eventtest.Task(field("taskDefinitionArn", "log-agent:12")), event.ReasonInvalidARN},
		"broken instance of a task":    {eventtest.Task(field("containerInstanceArn", "i-0a1b")), event.ReasonInvalidARN},
		"task of another cluster":      {eventtest.Task(field("taskArn", "arn:aws:ecs:eu-west-1:210987654321:task/core/1")), event.ReasonClusterMismatch},
		"task of another account":      {eventtest.Task(field("taskArn", "arn:aws:ecs:eu-west-1:999999999999:task/edge/1")), event.ReasonClusterMismatch},
		"task of another region":       {eventtest.Task(field("taskArn", "arn:aws:ecs:us-east-1:210987654321:task/edge/1")), event.ReasonClusterMismatch},
		"on another cluster's host":    {eventtest.Task(field("containerInstanceArn", "arn:aws:ecs:eu-west-1:210987654321:container-instance/core/1")), event.ReasonClusterMismatch},
		"account of the envelope":      {eventtest.Task(envelope("account", "999999999999")), event.ReasonAccountMismatch},
		"region of the envelope":       {eventtest.ContainerInstance(envelope("region", "us-east-1")), event.ReasonRegionMismatch},
		"negative version":             {eventtest.Task(eventtest.Version(-1)), event.ReasonInvalidVersion},
		"task without lastStatus":      {eventtest.Task(without("lastStatus")), event.ReasonMissingStatus},
		"task without desiredStatus":   {eventtest.Task(without("desiredStatus")), event.ReasonMissingStatus},
		"instance without status":      {eventtest.ContainerInstance(without("status")), event.ReasonMissingStatus},
		"detail is a list":             {eventtest.Task(envelope("detail", []string{cluster})), "wrong-type:detail"},
		"detail is text":               {eventtest.ContainerInstanceHealth(envelope("detail", cluster)), "wrong-type:detail"},
		"resources is text":            {eventtest.Task(envelope("resources", cluster)), "wrong-type:resources"},
		"time is a number":             {eventtest.Task(envelope("time", 1763630047)), "wrong-type:time"},
		"version is text":              {eventtest.Task(field("version", "4")), "wrong-type:version"},
		"version is a fraction":        {eventtest.Task(field("version", 4.5)), "wrong-type:version"},
		"cpu is a number":              {eventtest.Task(field("cpu", 64)), "wrong-type:cpu"},
		"createdAt is not a time":      {eventtest.Task(field("createdAt", "yesterday")), "wrong-type:createdAt"},
		"containers is an object":      {eventtest.Task(field("containers", map[string]any{})), "wrong-type:containers"},
		"exit code is text":            {eventtest.Task(field("containers", []any{map[string]any{"exitCode": "0"}})), "wrong-type:containers.exitCode"},
		"agent started yesterday":      {eventtest.Task(field("containers", []any{map[string]any{"managedAgents": []any{map[string]any{"lastStartedAt": "yesterday"}}}})), "wrong-type:containers"},
		"agentConnected is text":       {eventtest.ContainerInstance(field("agentConnected", "true")), "wrong-type:agentConnected"},
		"resource is a fraction":       {eventtest.ContainerInstance(field("registeredResources", []any{map[string]any{"integerValue": 1.5}})), "wrong-type:registeredResources.integerValue"},
		"health with a numeric ARN":    {eventtest.ContainerInstanceHealth(field("clusterArn", 1)), "wrong-type:clusterArn"},
		"hint with another's account":  {eventtest.ContainerInstanceHealth(envelope("account", "999999999999")), event.ReasonAccountMismatch},
		"no version, but wrong fields": {eventtest.Task(without("version"), field("cpu", 64)), "wrong-type:cpu"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse(test.raw)
			require.Equal(t, event.Event{ID: got.ID, Time: got.Time}, got, "nothing else is told of what is invalid")
			var invalid *event.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, test.reason, invalid.Reason, invalid.Message)
			require.NotEmpty(t, invalid.Message)
			require.Less(t, len(invalid.Message), 5000, "the message stays readable")
			require.Contains(t, err.Error(), test.reason)
		})
	}
}

func TestLargestEventIsRead(t *testing.T) {
	padding := event.MaxBytes - len(eventtest.Task(eventtest.Field("stoppedReason", "")))
	raw := eventtest.Task(eventtest.Field("stoppedReason", strings.Repeat("x", padding)))
	require.Len(t, raw, event.MaxBytes)
	_, err := event.Parse(raw)
	require.NoError(t, err)
}

func TestBuiltEventsParseWhateverTheOptions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		options := []eventtest.Option{
			eventtest.Cluster(rapid.StringMatching(`[A-Za-z0-9_-]{1,255}`).Draw(t, "cluster")),
			eventtest.ID(rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "id")),
			eventtest.Version(rapid.Int64Min(1).Draw(t, "version")),
			eventtest.LastStatus(rapid.SampledFrom(state.TaskStatuses()).Draw(t, "lastStatus")),
			eventtest.Status(rapid.SampledFrom(state.InstanceStatuses()).Draw(t, "status")),
			eventtest.AgentConnected(rapid.Bool().Draw(t, "connected")),
			eventtest.OnContainerInstance(rapid.SampledFrom([]string{"", "aa11"}).Draw(t, "host")),
			eventtest.Time(time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "seconds"), 0)),
		}
		if rapid.Bool().Draw(t, "short") {
			options = append(options, eventtest.ShortARNs())
		}
		for _, raw := range [][]byte{eventtest.Task(options...), eventtest.ContainerInstance(options...)} {
			got, err := event.Parse(raw)
			if err != nil || got.Observation == nil {
				t.Fatalf("parsing %s: %v", raw, err)
			}
		}
	})
}

// What waits in the dead-letter queue is looked for by the event's id.
func TestAnInvalidEventIsNamed(t *testing.T) {
	const id = "e-1"
	field, without, envelope := eventtest.Field, eventtest.WithoutField, eventtest.EnvelopeField
	at := eventtest.DefaultTime
	named := func(options ...eventtest.Option) []byte {
		return eventtest.Task(append([]eventtest.Option{eventtest.EnvelopeField("id", id)}, options...)...)
	}
	for about, c := range map[string]struct {
		raw  []byte
		want event.Event
	}{
		"the detail is wrong":     {named(field("version", "4")), event.Event{ID: id, Time: at}},
		"there is no ARN":         {named(without("taskArn")), event.Event{ID: id, Time: at}},
		"an unknown type":         {named(envelope("detail-type", "ECS Surprise")), event.Event{ID: id, Time: at}},
		"another source":          {named(envelope("source", "aws.ec2")), event.Event{ID: id, Time: at}},
		"a part of the envelope":  {named(envelope("region", 7)), event.Event{ID: id, Time: at}},
		"no time":                 {named(envelope("time", nil), without("updatedAt")), event.Event{ID: id}},
		"the id itself":           {named(envelope("id", 7)), event.Event{Time: at}},
		"what cannot be read":     {named()[:200], event.Event{}},
		"what is no event at all": {[]byte("nonsense"), event.Event{}},
	} {
		t.Run(about, func(t *testing.T) {
			got, err := event.Parse(c.raw)
			require.Error(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
