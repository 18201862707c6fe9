package clusterquery_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/clusterquery"
)

func TestSubjectsAreFoundWhereverTheyStand(t *testing.T) {
	parsed, err := clusterquery.Parse("attribute:a exists and not (agentConnected == true or\n  !(task:group in [x, y]))")
	require.NoError(t, err)
	require.Equal(t, []clusterquery.Subject{
		{Name: "attribute:a", Line: 1, Column: 1}, {Name: "agentConnected", Line: 1, Column: 29}, {Name: "task:group", Line: 2, Column: 5},
	}, parsed.Subjects())
}
