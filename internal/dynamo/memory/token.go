package memory

import (
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// How long DynamoDB remembers a ClientRequestToken, and how many the twin keeps
// at most: a clock that stands still must not fill the memory.
const (
	tokenAge  = 10 * time.Minute
	maxTokens = 10_000
)

// tokens are the transactions that may be asked for again.
type tokens struct {
	done  map[string]done
	order []string // oldest first
}

type done struct {
	items []types.TransactWriteItem
	at    time.Time
}

// find returns the request that was done under the token.
func (t *tokens) find(token string, now func() time.Time) ([]types.TransactWriteItem, bool) {
	if token == "" || len(t.order) == 0 {
		return nil, false
	}
	at := now()
	for len(t.order) > 0 && at.Sub(t.done[t.order[0]].at) >= tokenAge {
		t.forgetOldest()
	}
	d, known := t.done[token]
	return d.items, known
}

func (t *tokens) add(token string, items []types.TransactWriteItem, at time.Time) {
	if t.done == nil {
		t.done = map[string]done{}
	}
	if len(t.order) >= maxTokens {
		t.forgetOldest()
	}
	t.done[token] = done{items: items, at: at}
	t.order = append(t.order, token)
}

func (t *tokens) forgetOldest() {
	delete(t.done, t.order[0])
	t.order = t.order[1:]
}

// copyActions copies what a caller could change after its request.
func copyActions(items []types.TransactWriteItem) []types.TransactWriteItem {
	out := make([]types.TransactWriteItem, len(items))
	for i, item := range items {
		if item.Put != nil {
			p := *item.Put
			p.Item, p.ExpressionAttributeNames, p.ExpressionAttributeValues = attr.CopyItem(p.Item), maps.Clone(p.ExpressionAttributeNames), attr.CopyItem(p.ExpressionAttributeValues)
			out[i].Put = &p
		}
		if item.Update != nil {
			u := *item.Update
			u.Key, u.ExpressionAttributeNames, u.ExpressionAttributeValues = attr.CopyItem(u.Key), maps.Clone(u.ExpressionAttributeNames), attr.CopyItem(u.ExpressionAttributeValues)
			out[i].Update = &u
		}
		if item.Delete != nil {
			d := *item.Delete
			d.Key, d.ExpressionAttributeNames, d.ExpressionAttributeValues = attr.CopyItem(d.Key), maps.Clone(d.ExpressionAttributeNames), attr.CopyItem(d.ExpressionAttributeValues)
			out[i].Delete = &d
		}
		if item.ConditionCheck != nil {
			c := *item.ConditionCheck
			c.Key, c.ExpressionAttributeNames, c.ExpressionAttributeValues = attr.CopyItem(c.Key), maps.Clone(c.ExpressionAttributeNames), attr.CopyItem(c.ExpressionAttributeValues)
			out[i].ConditionCheck = &c
		}
	}
	return out
}
