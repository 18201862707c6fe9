package drive

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
)

// slowReads takes a second for each query.
type slowReads struct {
	dynamo.API
	w *world
}

func (r *slowReads) Query(
	ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	r.w.now = r.w.now.Add(time.Second)
	return r.API.Query(ctx, in, options...)
}

// A process that has just begun knows the tasks of no host, and must not spend its whole time on reading them.
func TestALookReadsNeighboursForSoLongOnly(t *testing.T) {
	w, _ := steadyWorld(t, nil, releasing)
	w.host(99, counts(3, 1, 0)...) // its daemon is all that ECS counts
	cold := w.newDriver("cold")
	look := func() (known map[string]bool) {
		s, err := cold.snapshot(t.Context(), "env", everything)
		require.NoError(t, err)
		require.Len(t, s.Hosts, 100)
		known = map[string]bool{}
		for _, h := range s.Hosts {
			require.Equal(t, daemon.StatusActive, h.Status)
			known[h.Key.EC2InstanceID] = h.OtherTasksKnown
		}
		return known
	}
	count := func(known map[string]bool) (n int) {
		for _, is := range known {
			if is {
				n++
			}
		}
		return n
	}
	cold.State = table.NewState(&slowReads{w.db, w}, "state", 7*24*time.Hour)
	first := look()
	require.Less(t, count(first), 100)
	require.Greater(t, count(first), 1)
	require.True(t, first[ec2(99)], "it costs no read")
	for range 10 {
		look()
	}
	require.Equal(t, 100, count(look()), "each look goes on with what the one before has learnt")
}
