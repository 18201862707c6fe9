package blox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/table/schema"
)

// With another logical id CloudFormation would make a new table, empty, and delete or abandon the old one. With another
// key of the table or of an index it would replace them, and it changes one index a deploy at most.
func TestTablesAreThoseOfTheSchemaUnderIdsThatStay(t *testing.T) {
	for id, def := range map[string]schema.Table{"StateTable": schema.State, "DaemonTable": schema.Daemon} {
		table := standard.template.Resources[id]
		require.Equal(t, "AWS::DynamoDB::Table", table.Type, id)
		require.NotContains(t, table.Properties, "TableName", "a name of our own would make two stacks clash")
		require.Equal(t, keys(schema.PartitionKey, schema.SortKey), table.Properties["KeySchema"])
		attributes := map[string]bool{schema.PartitionKey: true, schema.SortKey: true}
		var indexes []any
		for _, index := range def.Indexes {
			attributes[index.PartitionKey], attributes[index.SortKey] = true, true
			indexes = append(indexes, object{
				"IndexName": index.Name, "KeySchema": keys(index.PartitionKey, index.SortKey), "Projection": object{"ProjectionType": "KEYS_ONLY"},
			})
		}
		if len(indexes) > 0 {
			require.Equal(t, indexes, table.Properties["GlobalSecondaryIndexes"])
		} else {
			require.NotContains(t, table.Properties, "GlobalSecondaryIndexes")
		}
		var defined []any
		for name := range attributes {
			defined = append(defined, object{"AttributeName": name, "AttributeType": "S"})
		}
		require.ElementsMatch(t, defined, table.Properties["AttributeDefinitions"])
	}
	require.Len(t, standard.template.ids("AWS::DynamoDB::Table"), 2)
}

// The schema itself is held here: whoever changes an index learns what it means for those who have installed Blox.
func TestKeysAsTheyAreInstalled(t *testing.T) {
	require.Equal(t, []schema.Index{
		{Name: "byStatus", PartitionKey: "pk", SortKey: "byStatus"},
		{Name: "byInstance", PartitionKey: "byInstance", SortKey: "sk"},
		{Name: "byStartedBy", PartitionKey: "byStartedBy", SortKey: "sk"},
		{Name: "byGroup", PartitionKey: "byGroup", SortKey: "phase"},
	}, schema.State.Indexes, "a table in use takes one new or changed index a deploy, and is read without it until then")
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
