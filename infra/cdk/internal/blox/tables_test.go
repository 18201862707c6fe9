package blox_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/table/schema"
)

// With another logical id CloudFormation would make a new table, empty, and delete or abandon the old one. With another
// key of the table or of an index it would replace them, and it changes one global index a deploy at most.
func TestTablesAreThoseOfTheSchemaUnderIdsThatStay(t *testing.T) {
	for id, def := range map[string]schema.Table{"StateTable": schema.State, "DaemonTable": schema.Daemon} {
		table := standard.template.Resources[id]
		require.Equal(t, "AWS::DynamoDB::Table", table.Type, id)
		require.NotContains(t, table.Properties, "TableName", "a name of our own would make two stacks clash")
		require.Equal(t, keys(schema.PartitionKey, schema.SortKey), table.Properties["KeySchema"])
		attributes := map[string]bool{schema.PartitionKey: true, schema.SortKey: true}
		indexes := map[string][]any{}
		for _, index := range def.Indexes {
			attributes[index.PartitionKey], attributes[index.SortKey] = true, true
			kind := "GlobalSecondaryIndexes"
			if index.Local() {
				kind = localIndexes
			}
			indexes[kind] = append(indexes[kind], object{
				"IndexName": index.Name, "KeySchema": keys(index.PartitionKey, index.SortKey), "Projection": object{"ProjectionType": "KEYS_ONLY"},
			})
		}
		for _, kind := range []string{"GlobalSecondaryIndexes", localIndexes} {
			if len(indexes[kind]) > 0 {
				require.Equal(t, indexes[kind], table.Properties[kind])
			} else {
				require.NotContains(t, table.Properties, kind)
			}
		}
		var defined []any
		for name := range attributes {
			defined = append(defined, object{"AttributeName": name, "AttributeType": "S"})
		}
		require.ElementsMatch(t, defined, table.Properties["AttributeDefinitions"])
	}
	require.Len(t, standard.template.ids("AWS::DynamoDB::Table"), 2)
}

const localIndexes = "LocalSecondaryIndexes"

// changedLocalIndexes names the tables that have other local indexes in a template than in an older one. CloudFormation
// cannot change them: they are made with the table, so a deploy of such a template fails, or replaces the table by an
// empty one.
func changedLocalIndexes(older, newer map[string]resource) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(older)) {
		before, after := older[id], newer[id]
		if before.Type == "AWS::DynamoDB::Table" && after.Type == before.Type &&
			!reflect.DeepEqual(before.Properties[localIndexes], after.Properties[localIndexes]) {
			out = append(out, id)
		}
	}
	return out
}

func TestLocalIndexesComeAndGoWithTheirTable(t *testing.T) {
	table := func(sorts ...string) resource {
		properties := object{"KeySchema": keys("pk", "sk")}
		if len(sorts) > 0 {
			var local []any
			for _, sort := range sorts {
				local = append(local, object{"IndexName": sort, "KeySchema": keys("pk", sort)})
			}
			properties[localIndexes] = local
		}
		return resource{Type: "AWS::DynamoDB::Table", Properties: properties}
	}
	older := map[string]resource{"Plain": table(), "Sorted": table("phase"), "Queue": {Type: "AWS::SQS::Queue"}}
	for name, c := range map[string]struct {
		newer map[string]resource
		want  []string
	}{
		"nothing changed":    {map[string]resource{"Plain": table(), "Sorted": table("phase"), "Queue": {Type: "AWS::SQS::Queue"}}, nil},
		"one added":          {map[string]resource{"Plain": table("phase"), "Sorted": table("phase", "time")}, []string{"Plain", "Sorted"}},
		"one removed":        {map[string]resource{"Plain": table(), "Sorted": table()}, []string{"Sorted"}},
		"another key":        {map[string]resource{"Sorted": table("time")}, []string{"Sorted"}},
		"another table":      {map[string]resource{"Plain": table(), "Sorted2": table("phase", "time")}, nil},
		"another kind of it": {map[string]resource{"Sorted": {Type: "AWS::DynamoDB::GlobalTable"}}, nil},
	} {
		require.Equal(t, c.want, changedLocalIndexes(older, c.newer), name)
	}
}

// The schema itself is held here: whoever changes an index learns what it means for those who have installed Blox.
func TestKeysAsTheyAreInstalled(t *testing.T) {
	require.Equal(t, []schema.Index{
		{Name: "byPhase", PartitionKey: "pk", SortKey: "byPhase"},
		{Name: "byInstance", PartitionKey: "byInstance", SortKey: "life"},
		{Name: "byStartedBy", PartitionKey: "byStartedBy", SortKey: "life"},
		{Name: "byGroup", PartitionKey: "byGroup", SortKey: "life"},
	}, schema.State.Indexes, "a table in use takes one new or changed global index a deploy, and is read without it until then; a local one, never")
	require.Empty(t, schema.Daemon.Indexes)
}

func keys(partition, sort string) []any {
	return []any{
		object{"AttributeName": partition, "KeyType": "HASH"},
		object{"AttributeName": sort, "KeyType": "RANGE"},
	}
}

// An emulator drops most of this silently.
func TestTablesLastAndForget(t *testing.T) {
	for _, id := range []string{"StateTable", "DaemonTable"} {
		table := standard.template.Resources[id]
		require.Equal(t, "PAY_PER_REQUEST", table.Properties["BillingMode"])
		require.Equal(t, object{"AttributeName": "ttl", "Enabled": true}, table.Properties["TimeToLiveSpecification"])
		require.Equal(t, object{"PointInTimeRecoveryEnabled": true}, table.Properties["PointInTimeRecoverySpecification"])
		require.Equal(t, true, table.Properties["DeletionProtectionEnabled"])
		require.Equal(t, "Retain", table.DeletionPolicy)
		require.Equal(t, "Retain", table.UpdateReplacePolicy)
		require.Equal(t, object{"SSEEnabled": false}, table.Properties["SSESpecification"], "so a key that AWS owns encrypts")

		trial := options.template.Resources[id]
		require.Equal(t, false, trial.Properties["DeletionProtectionEnabled"])
		require.Equal(t, "Delete", trial.DeletionPolicy)
		require.Equal(t, object{"KMSMasterKeyId": getAtt("TableKey", "Arn"), "SSEEnabled": true, "SSEType": "KMS"}, trial.Properties["SSESpecification"])
	}
	require.Equal(t, true, options.template.Resources["TableKey"].Properties["EnableKeyRotation"])
	for id, r := range options.template.Resources {
		if r.Type != "AWS::DynamoDB::Table" && !strings.HasPrefix(r.Type, "AWS::IAM::") {
			require.NotContains(t, text(t, r.Properties), `"TableKey"`, "%s must go on when the tables' key is disabled", id)
		}
	}
	require.Empty(t, standard.template.ids("AWS::KMS::Key"))

	require.Equal(t, object{"StreamViewType": "NEW_AND_OLD_IMAGES"}, standard.template.Resources["StateTable"].Properties["StreamSpecification"])
	require.NotContains(t, standard.template.Resources["DaemonTable"].Properties, "StreamSpecification")
}
