package table_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// recorded are the payloads of package event whose names have the prefix and the suffix.
func recorded(t testing.TB, prefix, suffix string) []state.Observation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "event", "testdata", prefix+"*"+suffix+".json"))
	require.NoError(t, err)
	var all []state.Observation
	for _, file := range files {
		if strings.HasSuffix(file, ".parsed.json") {
			continue
		}
		raw, err := os.ReadFile(file) //nolint:gosec // the repository's own testdata
		require.NoError(t, err)
		all = append(all, parsed(t, raw))
	}
	require.NotEmpty(t, all)
	return all
}

// counted is a STATE table in memory that counts units.
func counted(t testing.TB) (*memory.DB, *table.State) {
	t.Helper()
	db := memory.New()
	require.NoError(t, table.Create(context.Background(), db, "blox", schema.State))
	return db, newState(db, "blox")
}

// medianSize is the size in bytes, by DynamoDB's rules, of the median record of what was seen.
func medianSize(t testing.TB, seen []state.Observation) int {
	t.Helper()
	var sizes []int
	for _, o := range seen {
		db, s := counted(t)
		_, err := s.Put(context.Background(), o, start)
		require.NoError(t, err)
		sizes = append(sizes, attr.ItemSize(attr.Item(rawItem(t, db, o.Key))))
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2]
}
