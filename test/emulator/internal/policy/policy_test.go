package policy

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const table = "arn:aws:dynamodb:us-east-1:123456789012:table/state"

func allows(t *testing.T, document string, r Request) bool {
	t.Helper()
	d, err := Parse([]byte(document))
	require.NoError(t, err)
	decision, err := Decide([]Document{d}, r)
	require.NoError(t, err)
	return decision.Allowed
}

func TestActionsAndResources(t *testing.T) {
	read := Request{Action: "dynamodb:GetItem", Resource: table}
	for document, want := range map[string]bool{
		`{"Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `"}}`:                               true,
		`{"Statement":[{"Effect":"Allow","Action":["dynamodb:getitem"],"Resource":"*"}]}`:                                       true,
		`{"Statement":[{"Effect":"Allow","Action":"dynamodb:*Item","Resource":["arn:aws:dynamodb:*:*:table/sta?e"]}]}`:          true,
		`{"Statement":[{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}]}`:                                         false,
		`{"Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `/index/byInstance"}]}`:            false,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"dynamodb:*","Resource":"*"}]}`: false,
		`{"Statement":[]}`: false,
	} {
		require.Equal(t, want, allows(t, document, read), document)
	}
}

func TestConditions(t *testing.T) {
	cluster := "arn:aws:ecs:us-east-1:123456789012:cluster/edge"
	context := map[string][]string{
		"ecs:cluster": {cluster}, "ecs:CreateAction": {"RunTask"}, "aws:TagKeys": {"a", "b"}, "aws:SecureTransport": {"true"},
	}
	for condition, want := range map[string]bool{
		`{"StringEquals":{"ecs:CreateAction":"RunTask"}}`:                                        true,
		`{"StringEquals":{"ECS:createaction":["CreateService","RunTask"]}}`:                      true,
		`{"StringEquals":{"ecs:CreateAction":"CreateService"}}`:                                  false,
		`{"StringEquals":{"ecs:missing":"x"}}`:                                                   false,
		`{"StringEqualsIfExists":{"ecs:missing":"x"}}`:                                           true,
		`{"StringNotEquals":{"ecs:missing":"x"}}`:                                                true,
		`{"StringNotEquals":{"ecs:CreateAction":["x","RunTask"]}}`:                               false,
		`{"StringLike":{"ecs:CreateAction":"Run*"}}`:                                             true,
		`{"ArnEquals":{"ecs:cluster":"` + cluster + `"}}`:                                        true,
		`{"ArnLike":{"ecs:cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/*"}}`:             true,
		`{"ArnLike":{"ecs:cluster":"arn:aws:ecs:*:cluster/*"}}`:                                  false,
		`{"ArnLike":{"ecs:cluster":"arn:aws:ecs:eu-west-1:*:cluster/*"}}`:                        false,
		`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}}`:                            true,
		`{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`:                                    false,
		`{"ForAllValues:StringEquals":{"aws:missing":["a"]}}`:                                    true,
		`{"ForAnyValue:StringEquals":{"aws:TagKeys":["b"]}}`:                                     true,
		`{"ForAnyValue:StringEquals":{"aws:missing":["b"]}}`:                                     false,
		`{"Bool":{"aws:SecureTransport":true}}`:                                                  true,
		`{"Bool":{"aws:SecureTransport":"false"}}`:                                               false,
		`{"Null":{"ecs:cluster":"false"}}`:                                                       true,
		`{"Null":{"ecs:cluster":"true"}}`:                                                        false,
		`{"Null":{"ecs:missing":"true"}}`:                                                        true,
		`{"StringEquals":{"ecs:CreateAction":"RunTask"},"Null":{"ecs:missing":"false"}}`:         false,
		`{"StringEquals":{"ecs:CreateAction":"RunTask","aws:TagKeys":"a"}}`:                      true,
		`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["c"]}}`:                                 true,
		`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["b"]}}`:                                 false,
		`{"StringEqualsIgnoreCase":{"ecs:CreateAction":"runtask"}}`:                              true,
		`{"ArnNotLike":{"ecs:cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/production"}}`: true,
	} {
		document := fmt.Sprintf(`{"Statement":{"Effect":"Allow","Action":"ecs:RunTask","Resource":"*","Condition":%s}}`, condition)
		require.Equal(t, want, allows(t, document, Request{Action: "ecs:RunTask", Resource: "x", Context: context}), condition)
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	for _, document := range []string{
		`nonsense`,
		`{"Statement":{"Effect":"Maybe","Action":"a:b","Resource":"*"}}`,
		`{"Statement":{"Effect":"Allow","NotAction":"a:b","Resource":"*"}}`,
		`{"Statement":{"Effect":"Allow","Action":"a:b","NotResource":"*"}}`,
		`{"Statement":{"Effect":"Allow","Action":"a:b"}}`,
		`{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"x"}}}}`,
		`{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringMatches":{"a:b":"x"}}}}`,
	} {
		_, err := Parse([]byte(document))
		require.Error(t, err, document)
	}
}

// Like is held against regular expressions.
func TestLikeIsWildcards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?:")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab:")), 0, 8, -1).Draw(t, "text")
		quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		require.Equal(t, regexp.MustCompile("^"+quoted+"$").MatchString(text), Like(pattern, text))
	})
}
