package table_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

type step struct {
	seen state.Observation
	want state.Outcome
}

func TestPutFollowsTheRule(t *testing.T) {
	running3, running4, running5 := task(t, 3, "RUNNING"), task(t, 4, "RUNNING"), task(t, 5, "RUNNING")
	stopped4, stopped5, deleted6 := task(t, 4, "STOPPED"), task(t, 5, "STOPPED"), task(t, 6, "DELETED")
	active2, inactive3 := instance(t, 2, "ACTIVE"), instance(t, 3, "INACTIVE")
	cases := map[string][]step{
		"new and newer":      {{running3, state.New}, {running4, state.Newer}},
		"versions may jump":  {{running3, state.New}, {running5, state.Newer}},
		"duplicate":          {{running3, state.New}, {running3, state.Duplicate}},
		"stale":              {{running4, state.New}, {running3, state.Stale}},
		"end and late event": {{stopped5, state.New}, {running4, state.Stale}, {stopped5, state.Duplicate}},
		"a stopped task stays stopped, whatever the version": {
			{stopped4, state.New}, {running5, state.Stale}, {described(t, running5, after(9), "a"), state.Stale},
		},
		"an end may be told anew": {{stopped5, state.New}, {deleted6, state.Newer}, {stopped5, state.Stale}},
		"a Describe brings tags": {
			{running3, state.New},
			{described(t, running3, after(10), "a"), state.Refresh},
			{described(t, running3, after(10), "a"), state.Duplicate},
			{described(t, running3, after(5), "b"), state.Duplicate}, // called before the stored one
			{described(t, running3, after(20), "a"), state.Duplicate},
			{described(t, running3, after(20), "b"), state.Refresh},
			{running3, state.Duplicate},
		},
		"a Describe comes first":            {{described(t, running3, after(0), "a"), state.New}, {running3, state.Duplicate}},
		"a Describe is newer":               {{running3, state.New}, {described(t, running4, after(0), "a"), state.Newer}},
		"a Describe is stale":               {{running4, state.New}, {described(t, running3, after(0), "a"), state.Stale}},
		"a Describe of a stopped task":      {{stopped4, state.New}, {described(t, stopped4, after(9), "a"), state.Refresh}},
		"a Describe cannot undo a stop":     {{stopped4, state.New}, {described(t, running4, after(9), "a"), state.Duplicate}},
		"a container instance comes":        {{active2, state.New}, {inactive3, state.Newer}},
		"an inactive one does not come":     {{inactive3, state.New}, {instance(t, 9, "ACTIVE"), state.Stale}},
		"a stale container instance":        {{inactive3, state.New}, {active2, state.Stale}},
		"a short ARN is remembered as such": {{task(t, 1, "RUNNING", eventtest.ShortARNs()), state.New}},
		"nothing known but its status": {{task(t, 1, "PROVISIONING", eventtest.OnContainerInstance(""),
			eventtest.WithoutField("startedBy"), eventtest.WithoutField("group"), eventtest.WithoutField("taskDefinitionArn")), state.New}},
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		for title, steps := range cases {
			t.Run(title, func(t *testing.T) {
				s := newState(db, name)
				for i, step := range steps {
					// Each case has an account of its own in the shared table.
					seen := inOwnCluster(step.seen, title)
					require.Equal(t, step.want.String(), put(t, s, seen, after(60+i)).String(), "step %d", i)
				}
			})
		}
	})
}

// inOwnCluster moves an observation to a cluster made of a title. Its detail stays as it is: the key counts.
func inOwnCluster(seen state.Observation, title string) state.Observation {
	name := make([]byte, 0, len(title))
	for _, c := range []byte(title) {
		if c == ' ' || c == ',' {
			c = '-'
		}
		name = append(name, c)
	}
	short := seen.ARN == arnOf(seen.Key, true)
	seen.Cluster.Name = string(name)
	seen.ARN = arnOf(seen.Key, short)
	return seen
}

func arnOf(key state.Key, short bool) string {
	arn := state.ARN{
		Partition: "aws", Account: key.Cluster.Account, Region: key.Cluster.Region,
		Kind: key.Kind.ARNKind(), Cluster: key.Cluster.Name, ID: key.ID,
	}
	if short {
		arn.Cluster = ""
	}
	return arn.String()
}

func TestPutKeepsWhatOnlyTheOtherSourceTold(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		put(t, s, task(t, 3, "RUNNING"), after(1))
		put(t, s, described(t, task(t, 3, "RUNNING"), after(2), "a"), after(2))
		put(t, s, task(t, 5, "DEACTIVATING"), after(3))
		record := stored(t, s, taskKey(eventtest.DefaultTaskID))
		require.Equal(t, int64(5), record.Event.Version)
		require.Equal(t, int64(3), record.Described.Version)
		require.Equal(t, "a", tag(t, record))

		put(t, s, described(t, task(t, 6, "STOPPING"), after(4), "b"), after(4))
		record = stored(t, s, taskKey(eventtest.DefaultTaskID))
		require.Equal(t, int64(5), record.Event.Version)
		require.Equal(t, int64(6), record.Described.Version)
		require.Equal(t, "STOPPING", record.Task.LastStatus)
		merged, err := record.AsTask()
		require.NoError(t, err)
		require.NotNil(t, merged.UpdatedAt, "only events tell it")
	})
}

func TestPutRefusesWhatItCannotDecode(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		seen := task(t, 3, "RUNNING")
		seen.Detail = []byte(`{"lastStatus":7}`)
		_, err := s.Put(t.Context(), seen, start)
		require.ErrorContains(t, err, eventtest.DefaultTaskID)
		require.True(t, stored(t, s, seen.Key).IsZero())
	})
}

// raw is an item as it stands in the table.
func raw(t testing.TB, db dynamo.API, name string, key state.Key) table.Item {
	t.Helper()
	for shard := range schema.TaskShards { // the most that any kind has
		out, err := db.GetItem(context.Background(), &dynamodb.GetItemInput{
			TableName: &name, ConsistentRead: aws.Bool(true), Key: table.Item{
				"pk": &types.AttributeValueMemberS{Value: key.Cluster.String() + "/" + string(key.Kind) + "/" + strconv.Itoa(shard)},
				"sk": &types.AttributeValueMemberS{Value: key.ID},
			},
		})
		require.NoError(t, err)
		if out.Item != nil {
			return out.Item
		}
	}
	return nil
}

func TestTombstonesOutliveLateEvents(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, key := newState(db, name), taskKey(eventtest.DefaultTaskID)
		put(t, s, task(t, 4, "RUNNING"), after(1))
		live := raw(t, db, name, key)
		require.NotContains(t, live, schema.TTL)
		require.Contains(t, live, schema.ByInstance)

		put(t, s, task(t, 5, "STOPPED"), after(2))
		item := raw(t, db, name, key)
		ttl := after(2).Add(state.TombstoneKeptFor).Unix()
		require.Equal(t, &types.AttributeValueMemberN{Value: strconv.FormatInt(ttl, 10)}, item[schema.TTL])
		require.Contains(t, item, schema.ByInstance, "what ran on a host can be asked for")
		phaseKey := fmt.Sprintf("/%d/%s", start.UnixMilli(), key.ID) // the stoppedAt of the event
		require.Equal(t, &types.AttributeValueMemberS{Value: "4stopped" + phaseKey}, item[schema.ByPhase])
		require.Equal(t, &types.AttributeValueMemberS{Value: "stopped" + phaseKey}, item[schema.Life])

		// DynamoDB deletes by TTL some time later, so what may be shown does not hang on it.
		stoppedAt := stored(t, s, key).Tombstone.StoppedAt
		_, err := s.Get(t.Context(), key, stoppedAt.Add(visibleFor).Add(-time.Second))
		require.NoError(t, err)
		_, err = s.Get(t.Context(), key, stoppedAt.Add(visibleFor))
		require.ErrorIs(t, err, table.ErrNotFound)
	})
}

func TestMarkAbsentLeavesATombstoneThatAHigherVersionRevives(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, key := newState(db, name), taskKey(eventtest.DefaultTaskID)
		put(t, s, task(t, 4, "RUNNING"), after(1))
		seen := stored(t, s, key)
		require.NoError(t, s.MarkAbsent(t.Context(), seen, after(900)))
		gone := stored(t, s, key)
		require.Equal(t, state.InferGone(seen, after(900), visibleFor), gone)
		require.True(t, gone.Tombstone.Inferred)
		require.ErrorIs(t, s.MarkAbsent(t.Context(), seen, after(901)), table.ErrConflict)
		require.ErrorIs(t, s.MarkAbsent(t.Context(), gone, after(901)), table.ErrConflict)

		require.Equal(t, state.Duplicate, put(t, s, task(t, 4, "RUNNING"), after(902)))
		require.Equal(t, state.Duplicate, put(t, s, described(t, task(t, 4, "RUNNING"), after(899), "a"), after(903)), "asked before")
		require.Equal(t, state.Stale, put(t, s, task(t, 3, "RUNNING"), after(904)))
		require.Equal(t, state.Newer, put(t, s, task(t, 5, "RUNNING"), after(905)))
		item := raw(t, db, name, key)
		require.NotContains(t, item, "tombstone")
		require.NotContains(t, item, schema.TTL, "a task that lives must not expire")
		require.Contains(t, item, schema.ByInstance)
	})
}

func TestADescribeAfterMarkAbsentRevives(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, key := newState(db, name), taskKey(eventtest.DefaultTaskID)
		put(t, s, task(t, 4, "RUNNING"), after(1))
		require.NoError(t, s.MarkAbsent(t.Context(), stored(t, s, key), after(900)))
		require.Equal(t, state.Refresh, put(t, s, described(t, task(t, 4, "RUNNING"), after(901), "a"), after(902)))
		living, err := s.Living(t.Context(), home, state.KindTask)
		require.NoError(t, err)
		require.Equal(t, []string{key.ID}, ids(living))
		require.NotContains(t, raw(t, db, name, key), schema.TTL, "a task that lives must not expire")
	})
}

// A second write leaves alone what it did not read, also if only the tombstone went.
func TestADescribeDoesNotReviveWhatIsNoLongerInferred(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, key := newState(db, name), taskKey(eventtest.DefaultTaskID)
		put(t, s, task(t, 4, "RUNNING"), after(1))
		require.NoError(t, s.MarkAbsent(t.Context(), stored(t, s, key), after(900)))
		var before state.Record
		between := newState(&between{API: db, after: "UpdateItem", then: func() {
			item := raw(t, db, name, key)
			inferred := item["tombstone"].(*types.AttributeValueMemberM)
			inferred.Value["inferred"] = &types.AttributeValueMemberBOOL{Value: false}
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item})
			require.NoError(t, err)
			before = stored(t, s, key)
		}}, name)
		outcome, err := between.Put(t.Context(), described(t, task(t, 4, "RUNNING"), after(901), "a"), after(902))
		require.NoError(t, err)
		require.Equal(t, state.Stale, outcome)
		require.Equal(t, before, stored(t, s, key))
	})
}

// Who is older than what is stored must not guess what it means, nor take it for news.
func TestARecordOfANewerSchemaIsRefused(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, key := newState(db, name), taskKey(eventtest.DefaultTaskID)
		put(t, s, task(t, 4, "RUNNING"), after(1))
		item := raw(t, db, name, key)
		item["schema"] = &types.AttributeValueMemberN{Value: "2"}
		item["event"] = &types.AttributeValueMemberS{Value: "of another shape"}
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item})
		require.NoError(t, err)
		for _, read := range []func() error{
			func() error { _, err := s.GetMany(t.Context(), []state.Key{key}, true); return err },
			func() error { _, err := s.Put(t.Context(), task(t, 4, "RUNNING"), after(2)); return err },
		} {
			err := read()
			require.ErrorIs(t, err, table.ErrSchema)
			require.ErrorContains(t, err, "2: this program reads 1 to 1, deploy or build it with a newer version")
		}
	})
}

func TestMarkAbsentKeepsBothSources(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, key := newState(db, name), instanceKey(eventtest.DefaultInstanceID)
		put(t, s, instance(t, 4, "ACTIVE"), after(1))
		put(t, s, described(t, instance(t, 4, "ACTIVE"), after(2), "a"), after(2))
		require.NoError(t, s.MarkAbsent(t.Context(), stored(t, s, key), after(900)))
		gone := stored(t, s, key)
		require.NotNil(t, gone.Event)
		require.NotNil(t, gone.Described)
		require.Equal(t, "INACTIVE", gone.Instance.Status)
		require.False(t, gone.Instance.AgentConnected)
	})
}

func TestMarkAbsentBelievesWhatCameMeanwhile(t *testing.T) {
	meanwhile := map[string]func(t *testing.T) state.Observation{
		"an event":                      func(t *testing.T) state.Observation { return task(t, 5, "RUNNING") },
		"its end":                       func(t *testing.T) state.Observation { return task(t, 5, "STOPPED") },
		"a Describe of another version": func(t *testing.T) state.Observation { return described(t, task(t, 5, "RUNNING"), after(9), "a") },
		"a Describe of equal version":   func(t *testing.T) state.Observation { return described(t, task(t, 4, "RUNNING"), after(9), "a") },
		"a second Describe":             func(t *testing.T) state.Observation { return described(t, task(t, 4, "RUNNING"), after(9), "b") },
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		for title, came := range meanwhile {
			t.Run(title, func(t *testing.T) {
				s := newState(db, name)
				first := inOwnCluster(task(t, 4, "RUNNING"), title)
				put(t, s, first, after(1))
				if title == "a second Describe" {
					put(t, s, inOwnCluster(described(t, task(t, 4, "RUNNING"), after(5), "a"), title), after(5))
				}
				seen := stored(t, s, first.Key)
				require.True(t, put(t, s, inOwnCluster(came(t), title), after(10)).Written())
				now := stored(t, s, first.Key)
				require.ErrorIs(t, s.MarkAbsent(t.Context(), seen, after(900)), table.ErrConflict)
				require.Equal(t, now, stored(t, s, first.Key))
			})
		}
		t.Run("its row's end", func(t *testing.T) {
			never := state.Record{Key: taskKey("ffffffffffffffffffffffffffffffff"), Version: 3}
			require.ErrorIs(t, newState(db, name).MarkAbsent(t.Context(), never, start), table.ErrConflict)
			require.Nil(t, raw(t, db, name, never.Key))
		})
	})
}

// A refresh takes two writes. Whatever comes between them must win.
func TestRefreshYieldsToWhatComesBetweenItsWrites(t *testing.T) {
	cases := map[string]func(t *testing.T, s *table.State, key state.Key){
		"a newer version": func(t *testing.T, s *table.State, _ state.Key) {
			put(t, s, inOwnCluster(task(t, 5, "RUNNING"), "a newer version"), after(11))
		},
		"a later Describe": func(t *testing.T, s *table.State, _ state.Key) {
			put(t, s, inOwnCluster(described(t, task(t, 4, "RUNNING"), after(20), "late"), "a later Describe"), after(20))
		},
		"reconcile's guess": func(t *testing.T, s *table.State, key state.Key) {
			require.NoError(t, s.MarkAbsent(t.Context(), stored(t, s, key), after(900)))
		},
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		for title, happens := range cases {
			t.Run(title, func(t *testing.T) {
				s, first := newState(db, name), inOwnCluster(task(t, 4, "RUNNING"), title)
				put(t, s, first, after(1))
				var won state.Record
				slow := newState(&between{API: db, after: "UpdateItem", then: func() {
					happens(t, s, first.Key)
					won = stored(t, s, first.Key)
				}}, name)
				outcome, err := slow.Put(t.Context(), inOwnCluster(described(t, task(t, 4, "RUNNING"), after(10), "a"), title), after(10))
				require.NoError(t, err)
				require.Equal(t, state.Stale, outcome)
				require.Equal(t, won, stored(t, s, first.Key))
			})
		}
	})
}

func TestPutSaysWhatFailed(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, _ string) {
		s := newState(db, "no-such-table")
		_, err := s.Put(t.Context(), task(t, 3, "RUNNING"), start)
		require.ErrorContains(t, err, taskKey(eventtest.DefaultTaskID).String())
		var missing *types.ResourceNotFoundException
		require.ErrorAs(t, err, &missing)
	})
}
