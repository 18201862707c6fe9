package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func judgement(t *testing.T, document string, asked []Asked, dependent ...Dependent) Judgement {
	t.Helper()
	d, err := Parse([]byte(document))
	require.NoError(t, err)
	j, err := Judge(map[string][]Document{"ingest": {d}}, asked, dependent)
	require.NoError(t, err)
	return j
}

func ask(action, resource string) Asked {
	return Asked{Function: "ingest", Request: Request{Action: action, Resource: resource}}
}

const putAndGet = `{"Statement":[{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:GetItem"],"Resource":["a","b"]}]}`

func TestEveryActionOnEveryResourceMustBeUsed(t *testing.T) {
	all := []Asked{ask("dynamodb:PutItem", "a"), ask("dynamodb:PutItem", "b"), ask("dynamodb:GetItem", "a"), ask("dynamodb:GetItem", "b")}
	require.Empty(t, judgement(t, putAndGet, all).Faults)
	j := judgement(t, putAndGet, all[:3])
	require.Len(t, j.Faults, 1)
	require.Contains(t, j.Faults[0], "may dynamodb:GetItem on b: nothing uses it")
	require.Contains(t, j.Markdown(strings.ToUpper), "| ingest | `dynamodb:GetItem` | B |  | **nothing** |")
	require.Empty(t, judgement(t, putAndGet, all[:3], Dependent{Function: "ingest", Action: "dynamodb:GetItem", When: "always", Cause: "because"}).Faults)
}

func TestWhatIsDeniedIsAFault(t *testing.T) {
	j := judgement(t, `{"Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"a"}]}`, []Asked{ask("sqs:SendMessage", "a"), ask("sqs:SendMessage", "b")})
	require.Len(t, j.Faults, 1)
	require.Contains(t, j.Faults[0], "calls sqs:SendMessage on b")
}

func TestADependentPermissionThatNobodyHasIsAFault(t *testing.T) {
	document := `{"Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"a"}]}`
	used := []Asked{ask("sqs:SendMessage", "a")}
	j := judgement(t, document, used, Dependent{Function: "ingest", Action: "kms:Decrypt", When: "always"})
	require.Len(t, j.Faults, 1)
	require.Contains(t, j.Faults[0], "kms:Decrypt of function ingest, which is not granted")
	require.Empty(t, judgement(t, document, used, Dependent{Function: "ingest", Action: "kms:Decrypt", When: "customerKey is true"}).Faults)
}

func TestAWildcardInAnActionIsAFault(t *testing.T) {
	j := judgement(t, `{"Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`, []Asked{ask("sqs:SendMessage", "a")})
	require.Len(t, j.Faults, 1)
	require.Contains(t, j.Faults[0], "wildcard")
}
