package stream_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/stream"
)

func decode(t *testing.T, record events.DynamoDBEventRecord) stream.Change {
	t.Helper()
	change, ok, err := stream.Decode(record)
	require.NoError(t, err)
	require.True(t, ok)
	return change
}

func TestALifeAsItsChanges(t *testing.T) {
	w := newWorld(t)
	steps := []struct {
		title                 string
		do                    func()
		reason                stream.Reason
		lastStatus            string
		began, ended, revived bool
		version               int64
		alive, gone, inferred bool
	}{
		{title: "first heard of", do: func() { w.store(task("a", 1, "PENDING")) }, reason: stream.Written, lastStatus: "PENDING", began: true, version: 1, alive: true},
		{title: "newer", do: func() { w.store(task("a", 2, "RUNNING")) }, reason: stream.Written, lastStatus: "RUNNING", version: 2, alive: true},
		{title: "tagged", do: func() { w.describe(task("a", 2, "RUNNING"), "edge") }, reason: stream.Written, lastStatus: "RUNNING", version: 2, alive: true},
		{title: "not found", do: func() { w.markAbsent(taskKey("a")) }, reason: stream.Gone, lastStatus: "STOPPED", ended: true, version: 2, gone: true, inferred: true},
		{title: "found again", do: func() { w.store(task("a", 4, "RUNNING")) }, reason: stream.Written, lastStatus: "RUNNING", revived: true, version: 4, alive: true},
		{title: "stopped", do: func() { w.store(task("a", 5, "STOPPED")) }, reason: stream.Stopped, lastStatus: "STOPPED", ended: true, version: 5},
	}
	var before *stream.Entity
	var sequence string
	for _, step := range steps {
		step.do()
		change := decode(t, w.next())
		require.Equal(t, stream.KindTask, change.Kind, step.title)
		require.Equal(t, "a", change.ID)
		require.Equal(t, "arn:aws:ecs:eu-west-1:210987654321:task/edge/a", change.ARN)
		require.Equal(t, stream.Cluster{Account: "210987654321", Region: "eu-west-1", Name: "edge"}, change.Cluster)
		require.Equal(t, "arn:aws:ecs:eu-west-1:210987654321:cluster/edge", change.Cluster.ARN())
		require.Equal(t, step.reason, change.Reason, step.title)
		require.Equal(t, []bool{step.began, step.ended, step.revived}, []bool{change.Began(), change.Ended(), change.Revived()}, step.title)
		require.Equal(t, before, change.Old, step.title)
		require.Equal(t, step.version, change.New.Version, step.title)
		require.Equal(t, step.lastStatus, change.New.Task.LastStatus, step.title)
		require.Nil(t, change.New.Instance)
		require.Equal(t, step.alive, change.New.End == nil, step.title)
		if !step.alive {
			require.Equal(t, []bool{step.gone, step.inferred}, []bool{change.New.End.Gone, change.New.End.Inferred}, step.title)
		}
		require.Greater(t, change.SequenceNumber, sequence)
		require.Equal(t, t0, change.At)
		before, sequence = change.New, change.SequenceNumber
	}
	require.Equal(t, []stream.Tag{{Key: "team", Value: "edge"}}, before.Task.Tags, "what only Describe told is kept")

	w.db.ExpireItems(t0.Add(365 * 24 * time.Hour))
	expired := decode(t, w.next())
	require.Equal(t, stream.Expired, expired.Reason)
	require.Nil(t, expired.New)
	require.Equal(t, before, expired.Old)
	require.Equal(t, "arn:aws:ecs:eu-west-1:210987654321:task/edge/a", expired.ARN)
	require.False(t, expired.Ended(), "it had ended long before")
}

func TestChangesOfContainerInstances(t *testing.T) {
	w := newWorld(t)
	w.store(instance(1, "ACTIVE"))
	change := decode(t, w.next())
	require.Equal(t, stream.KindContainerInstance, change.Kind)
	require.Nil(t, change.New.Task)
	require.Equal(t, "m8g.2xlarge", change.New.Instance.InstanceType())
	require.Contains(t, string(change.New.Detail), `"accountType":"standard"`)

	w.store(instance(2, "INACTIVE"))
	change = decode(t, w.next())
	require.Equal(t, stream.Gone, change.Reason)
	require.True(t, change.Ended())
	require.Equal(t, "ACTIVE", change.Old.Instance.Status)
}

func TestWhatIsFirstHeardOfWhenItIsOverHasBegunAndEnded(t *testing.T) {
	w := newWorld(t)
	w.store(task("late", 9, "STOPPED"))
	change := decode(t, w.next())
	require.True(t, change.Began())
	require.True(t, change.Ended())
}

// Unknown fields of ECS are in the detail, for the day on which somebody needs one.
func TestTheDetailHasWhatThisPackageDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	w.store(task("a", 1, "RUNNING", eventtest.Field("fieldOfTomorrow", map[string]any{"x": 1})))
	require.Contains(t, string(decode(t, w.next()).New.Detail), `"fieldOfTomorrow":{"x":1}`)
}

func TestOtherRowsAreSkipped(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.state.AddCluster(t.Context(), cluster))
	require.NoError(t, w.state.PutSync(t.Context(), table.Cluster{Key: cluster, SyncedAt: 7}))
	require.NoError(t, w.state.PutLag(t.Context(), cluster.Account, cluster.Region, table.Lag{Millis: 7}))
	require.NoError(t, table.NewFeed(w.db, tableName, func() time.Time { return t0 }).AppendAll(t.Context(),
		[]table.Change{{Key: taskKey("a"), Version: 1, Reason: table.ReasonWritten}}))
	batch := w.batch()
	require.GreaterOrEqual(t, len(batch.Records), 5)
	for _, record := range batch.Records {
		change, ok, err := stream.Decode(record)
		require.NoError(t, err)
		require.False(t, ok)
		require.Zero(t, change)
	}
}

func TestBothFormsOfARecordAreTheSameChange(t *testing.T) {
	w := newWorld(t)
	w.store(task("a", 1, "RUNNING"))
	w.describe(task("a", 1, "RUNNING"), "edge")
	w.markAbsent(taskKey("a"))
	w.store(instance(1, "ACTIVE"))
	w.db.ExpireItems(t0.Add(365 * 24 * time.Hour))
	batch := w.batch()
	require.Len(t, batch.Records, 5)
	for _, record := range batch.Records {
		want := decode(t, record)
		got, ok, err := stream.DecodeSDK(sdkRecord(record))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	w := newWorld(t)
	w.store(task("a", 1, "PENDING"))
	w.store(task("a", 2, "RUNNING"))
	whole := w.batch().Records[1]
	set := func(attribute string, value events.DynamoDBAttributeValue) func(*events.DynamoDBEventRecord) {
		return func(r *events.DynamoDBEventRecord) {
			image := map[string]events.DynamoDBAttributeValue{}
			for name, v := range r.Change.NewImage {
				image[name] = v
			}
			image[attribute] = value
			r.Change.NewImage = image
		}
	}
	detail := func(raw string) events.DynamoDBAttributeValue {
		return events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{
			"version": events.NewNumberAttribute("2"), "at": events.NewNumberAttribute("1"), "detail": events.NewBinaryAttribute([]byte(raw)),
		})
	}
	for title, c := range map[string]struct {
		spoil   func(*events.DynamoDBEventRecord)
		message string
		schema  bool // whether the error is ErrSchema
	}{
		"a newer schema": {
			set("schema", events.NewNumberAttribute("999")),
			"stream record " + whole.EventID + ", which waits in the stream for a day: unknown schema version 999: " +
				"this program reads 1 to 1, deploy or build it with a newer version of module github.com/blox/blox",
			true,
		},
		"a schema that is none":           {set("schema", events.NewNumberAttribute("0")), "unknown schema version 0", true},
		"a schema with a fraction":        {set("schema", events.NewNumberAttribute("1.5")), "unknown schema version 1.5", true},
		"a version that is no number":     {set("version", events.NewStringAttribute("two")), "task/210987654321/eu-west-1/edge/a", false},
		"a detail that is not compressed": {set("event", detail("{}")), "task/210987654321/eu-west-1/edge/a", false},
		"no images": {
			func(r *events.DynamoDBEventRecord) { r.Change.OldImage, r.Change.NewImage = nil, nil },
			"the stream must have NEW_AND_OLD_IMAGES", false,
		},
		"no key": {func(r *events.DynamoDBEventRecord) { r.Change.Keys = nil }, "no key pk and sk", false},
	} {
		t.Run(title, func(t *testing.T) {
			record := whole
			c.spoil(&record)
			change, ok, err := stream.Decode(record)
			require.ErrorContains(t, err, c.message)
			require.False(t, ok)
			require.Zero(t, change)
			require.Equal(t, c.schema, errors.Is(err, stream.ErrSchema))
		})
	}
}

// sdkRecord is the record as GetRecords gives it.
func sdkRecord(r events.DynamoDBEventRecord) types.Record {
	record := types.Record{
		EventID: aws.String(r.EventID), EventName: types.OperationType(r.EventName), EventVersion: aws.String(r.EventVersion),
		Dynamodb: &types.StreamRecord{
			Keys: sdkImage(r.Change.Keys), OldImage: sdkImage(r.Change.OldImage), NewImage: sdkImage(r.Change.NewImage),
			SequenceNumber: aws.String(r.Change.SequenceNumber), StreamViewType: types.StreamViewType(r.Change.StreamViewType),
			ApproximateCreationDateTime: aws.Time(r.Change.ApproximateCreationDateTime.Time),
		},
	}
	if u := r.UserIdentity; u != nil {
		record.UserIdentity = &types.Identity{Type: aws.String(u.Type), PrincipalId: aws.String(u.PrincipalID)}
	}
	return record
}

func sdkImage(image map[string]events.DynamoDBAttributeValue) map[string]types.AttributeValue {
	if image == nil {
		return nil
	}
	out := map[string]types.AttributeValue{}
	for name, value := range image {
		switch value.DataType() {
		case events.DataTypeString:
			out[name] = &types.AttributeValueMemberS{Value: value.String()}
		case events.DataTypeNumber:
			out[name] = &types.AttributeValueMemberN{Value: value.Number()}
		case events.DataTypeBinary:
			out[name] = &types.AttributeValueMemberB{Value: value.Binary()}
		case events.DataTypeBoolean:
			out[name] = &types.AttributeValueMemberBOOL{Value: value.Boolean()}
		case events.DataTypeMap:
			out[name] = &types.AttributeValueMemberM{Value: sdkImage(value.Map())}
		default:
			panic("no item of the table has such an attribute")
		}
	}
	return out
}
