package state_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

func TestSameContentInOtherForm(t *testing.T) {
	same := map[string][2]string{
		"order of fields":         {`{"a":1,"b":2}`, `{"b":2,"a":1}`},
		"blanks":                  {`{"a":1}`, ` { "a" : 1 } `},
		"null and absent":         {`{"a":null,"b":1}`, `{"b":1}`},
		"empty list and absent":   {`{"a":[],"b":1}`, `{"b":1}`},
		"empty object and absent": {`{"a":{"b":[]}}`, `{}`},
		"order of attributes": {
			`{"attributes":[{"name":"a"},{"name":"b","value":"1"}]}`,
			`{"attributes":[{"value":"1","name":"b"},{"name":"a"}]}`,
		},
		"order of ports":          {`{"stringSetValue":["22","2375"]}`, `{"stringSetValue":["2375","22"]}`},
		"digits of a time":        {`{"startedAt":"2026-11-20T09:14:02.110Z"}`, `{"startedAt":"2026-11-20T09:14:02.11Z"}`},
		"microseconds of a time":  {`{"startedAt":"2026-11-20T09:14:02.110Z"}`, `{"startedAt":"2026-11-20T09:14:02.110427Z"}`},
		"zone of a time":          {`{"startedAt":"2026-11-20T09:14:02Z"}`, `{"startedAt":"2026-11-20T10:14:02+01:00"}`},
		"numbers":                 {`{"doubleValue":1}`, `{"doubleValue":1.0}`},
		"escapes in a text":       {`{"reason":"a<b"}`, `{"reason":"a\u003cb"}`},
		"when a check ran":        {`{"healthStatus":{"details":[{"status":"OK","lastUpdated":"2026-11-20T09:14:02Z"}]}}`, `{"healthStatus":{"details":[{"status":"OK","lastUpdated":"2026-11-20T09:15:02Z"}]}}`},
		"digits of a status time": {`{"lastStatusChange":"2026-11-20T09:14:02.0Z"}`, `{"lastStatusChange":"2026-11-20T09:14:02Z"}`},
		"not JSON, same bytes":    {`{`, `{`},
	}
	for name, pair := range same {
		t.Run(name, func(t *testing.T) {
			require.True(t, state.SameContent(json.RawMessage(pair[0]), json.RawMessage(pair[1])))
			require.True(t, state.SameContent(json.RawMessage(pair[1]), json.RawMessage(pair[0])))
		})
	}
}

func TestOtherContent(t *testing.T) {
	other := map[string][2]string{
		"a value":               {`{"a":1}`, `{"a":2}`},
		"a field more":          {`{"a":1}`, `{"a":1,"b":false}`},
		"zero and absent":       {`{"exitCode":0}`, `{}`},
		"empty text and absent": {`{"reason":""}`, `{}`},
		"text and number":       {`{"cpu":"64"}`, `{"cpu":64}`},
		"element twice":         {`{"a":[1,1]}`, `{"a":[1]}`},
		"big numbers":           {`{"longValue":9007199254740993}`, `{"longValue":9007199254740992}`},
		"a millisecond":         {`{"startedAt":"2026-11-20T09:14:02.110Z"}`, `{"startedAt":"2026-11-20T09:14:02.111Z"}`},
		"text like a time":      {`{"value":"2026-11-20T09:14:02.110Z"}`, `{"value":"2026-11-20T09:14:02.11Z"}`},
		"health":                {`{"details":[{"status":"OK","lastUpdated":"a"}]}`, `{"details":[{"status":"IMPAIRED","lastUpdated":"a"}]}`},
		"not JSON on one side":  {`{`, `{}`},
		"not JSON on the other": {`{}`, `{`},
		"not JSON, other bytes": {`{`, `[`},
	}
	for name, pair := range other {
		t.Run(name, func(t *testing.T) {
			require.False(t, state.SameContent(json.RawMessage(pair[0]), json.RawMessage(pair[1])))
		})
	}
}

func TestContentIsTheSameHoweverListsAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.StringMatching(`[a-z"\\{,]{0,4}`), 0, 6).Draw(t, "list")
		shuffled := rapid.Permutation(list).Draw(t, "shuffled")
		a, errA := json.Marshal(map[string]any{"list": list, "one": 1})
		b, errB := json.Marshal(map[string]any{"one": 1, "list": shuffled})
		if errA != nil || errB != nil || !state.SameContent(a, b) {
			t.Fatalf("%s and %s", a, b)
		}
		longer, err := json.Marshal(map[string]any{"one": 1, "list": append(shuffled, "zzzzz")})
		if err != nil || state.SameContent(a, longer) {
			t.Fatalf("%s and %s", a, longer)
		}
	})
}
