package httpapi

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// someVersion is a position in the feed.
var someVersion = table.FeedPosition{}.String()

func TestATokenSaysWhereThePageEnded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := listFingerprint("tasks", rapid.String().Draw(t, "filter"))
		position := table.Position{
			Cluster: state.ClusterKey{
				Account: rapid.StringMatching(`[0-9]{12}`).Draw(t, "account"), Region: "eu-west-1",
				Name: rapid.StringMatching(`[A-Za-z0-9_-]{1,255}`).Draw(t, "cluster"),
			},
			Stage: rapid.IntRange(0, 9).Draw(t, "stage"),
			At:    rapid.Int64Range(0, math.MaxInt64).Draw(t, "at"),
			ID:    rapid.StringMatching(`[a-z0-9-]{0,255}`).Draw(t, "id"),
		}
		token, err := tokenOfPosition(list, someVersion, position)
		require.NoError(t, err)
		require.LessOrEqual(t, len(token), maxTokenLength)
		got, version, err := positionOf(token, list)
		require.NoError(t, err)
		require.Equal(t, position, got)
		require.Equal(t, someVersion, version)
		_, _, err = positionOf(token, listFingerprint("instances"))
		require.ErrorIs(t, err, errTokenForeign)
	})
}

func TestTheEndHasNoToken(t *testing.T) {
	token, err := tokenOfPosition("list", someVersion, table.Position{})
	require.NoError(t, err)
	require.Empty(t, token)
}

func TestFingerprintsTellFiltersApart(t *testing.T) {
	seen := map[string]bool{}
	for _, list := range [][]string{{"tasks"}, {"tasks", ""}, {"tasks", "a", "b"}, {"tasks", "ab", ""}, {"tasks", "", "ab"}, {"tasksa", "b"}} {
		seen[listFingerprint(list[0], list[1:]...)] = true
	}
	require.Len(t, seen, 6)
}

func TestForgedTokensAreRefused(t *testing.T) {
	for about, text := range map[string]string{
		"no JSON":            `{`,
		"no list":            `{"c":"210987654321/eu-west-1/edge"}`,
		"an unknown field":   `{"l":"list","x":1}`,
		"something after it": `{"l":"list","c":"210987654321/eu-west-1/edge","v":"` + someVersion + `"} {}`,
		"no entityVersion":   `{"l":"list","c":"210987654321/eu-west-1/edge","i":"a"}`,
		"another version":    `{"l":"list","c":"210987654321/eu-west-1/edge","i":"a","v":"` + someVersion + `-3"}`,
		"no cluster":         `{"l":"list","i":"a","v":"` + someVersion + `"}`,
		"a negative stage":   `{"l":"list","c":"210987654321/eu-west-1/edge","s":-1,"v":"` + someVersion + `"}`,
		"a negative time":    `{"l":"list","c":"210987654321/eu-west-1/edge","t":-1,"v":"` + someVersion + `"}`,
		"a long id":          `{"l":"list","c":"210987654321/eu-west-1/edge","i":"` + strings.Repeat("x", 256) + `","v":"` + someVersion + `"}`,
		"a long token":       `{"l":"list","c":"210987654321/eu-west-1/edge","i":"` + strings.Repeat("x", maxTokenLength) + `","v":"` + someVersion + `"}`,
	} {
		t.Run(about, func(t *testing.T) {
			_, _, err := positionOf(base64.RawURLEncoding.EncodeToString([]byte(text)), "list")
			require.ErrorIs(t, err, errTokenMalformed)
		})
	}
	_, err := nameAfter(base64.RawURLEncoding.EncodeToString([]byte(`{"l":"list"}`)), "list")
	require.ErrorIs(t, err, errTokenMalformed)
}

// FuzzNextToken gives the decoder anything: it must answer with a token that is encoded the same way, or an error.
func FuzzNextToken(f *testing.F) {
	good, err := tokenOfPosition("list", someVersion, table.Position{
		Cluster: state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}, Stage: 3, At: 1_800_000_000_000, ID: "0f5d",
	})
	require.NoError(f, err)
	for _, token := range []string{good, "", "%", "e30", "bnVsbA", strings.Repeat("A", maxTokenLength+1)} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		position, version, err := positionOf(token, "list")
		if err != nil || token == "" {
			require.Equal(t, table.Position{}, position)
			return
		}
		require.NoError(t, state.ValidateClusterName(position.Cluster.Name))
		require.LessOrEqual(t, len(position.ID), maxIDLength)
		again, err := tokenOfPosition("list", version, position)
		require.NoError(t, err)
		back, same, err := positionOf(again, "list")
		require.NoError(t, err)
		require.Equal(t, position, back)
		require.Equal(t, version, same)
	})
}
