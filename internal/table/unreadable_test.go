package table_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// A detail that nobody can read hides neither its record nor any other, and news go over it.
func TestAnUnreadableDetailHidesNothing(t *testing.T) {
	db, s := counted(t)
	for n := range 10 {
		put(t, s, task(t, 1, "RUNNING", eventtest.ID(id(n))), start)
	}
	item := raw(t, db, "blox", taskKey(id(7)))
	_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("blox"), Key: table.Item{"pk": item["pk"], "sk": item["sk"]},
		UpdateExpression:          aws.String("SET event.detail = :d"),
		ExpressionAttributeValues: table.Item{":d": &types.AttributeValueMemberB{Value: []byte("x")}},
	})
	require.NoError(t, err)

	living, err := s.Living(t.Context(), home, state.KindTask)
	require.NoError(t, err)
	require.Len(t, living, 10)
	query := table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: state.TaskFilter{LastStatus: "RUNNING"}, Limit: 100}
	page, err := s.ListTasks(t.Context(), query, start)
	require.NoError(t, err)
	require.Len(t, page.Records, 10)
	query.Filter.LaunchType = "EC2"
	page, err = s.ListTasks(t.Context(), query, start)
	require.NoError(t, err)
	require.Len(t, page.Records, 9, "what is in the detail is not known of it")
	_, err = s.Get(t.Context(), taskKey(id(7)), start)
	require.ErrorContains(t, err, "unreadable detail")

	outcome, err := s.Put(t.Context(), described(t, task(t, 1, "RUNNING", eventtest.ID(id(7))), after(1), "a"), start)
	require.NoError(t, err)
	require.Equal(t, state.Refresh, outcome)
	outcome, err = s.Put(t.Context(), task(t, 2, "STOPPED", eventtest.ID(id(7))), start)
	require.NoError(t, err)
	require.Equal(t, state.Newer, outcome)
}
