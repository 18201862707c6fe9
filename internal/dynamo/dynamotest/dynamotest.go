package dynamotest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func ForTest(t testing.TB) *dynamodb.Client { return nil }
func TableName(t testing.TB, name string) string { return name }
