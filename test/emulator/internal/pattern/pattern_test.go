package pattern

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	record := `{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"feed#3"},"n":{"N":"1"}}}}`
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{`{}`, true},
		{`{"eventName":["MODIFY","INSERT"]}`, true},
		{`{"eventName":["MODIFY"]}`, false},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"feed"}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"suffix":"4"}]}}}}`, false},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":{"prefix":"feed"}}]}}}}`, false},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":{"prefix":"task"}}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":["feed#3"]}]}}}}`, false},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":"feed#3"}]}}}}`, false},
		{`{"dynamodb":{"OldImage":{"pk":{"S":[{"exists":false}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"pk":{"S":[{"exists":true}]}}}}`, true},
		{`{"dynamodb":{"Keys":{"none":{"S":[{"anything-but":"x"}]}}}}`, false},
		{`{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":["other"]}}}}`, false},
	} {
		got, err := Match([]byte(c.pattern), []byte(record))
		require.NoError(t, err, c.pattern)
		require.Equal(t, c.want, got, c.pattern)
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	for _, pattern := range []string{`[]`, `{"a":"b"}`, `{"a":[{"numeric":[">",1]}]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"prefix":"x","suffix":"y"}]}`} {
		_, err := Match([]byte(pattern), []byte(`{"b":1}`))
		require.Error(t, err, pattern)
	}
	_, err := Match([]byte(`{}`), []byte(`nonsense`))
	require.ErrorContains(t, err, "document")
}
