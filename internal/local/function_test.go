package local

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestInvocationsAtTheSameTimeDoNotMixTheirAnswers(t *testing.T) {
	echo := newFunction("echo", time.Minute, func(_ context.Context, text string) (string, error) { return text, nil })
	group, ctx := errgroup.WithContext(t.Context())
	for _, letter := range []string{"a", "b", "c", "d"} {
		text := strings.Repeat(letter, 10_000)
		group.Go(func() error {
			for range 500 {
				var answer string
				if err := echo.invoke(ctx, text, &answer); err != nil {
					return err
				}
				if answer != text {
					t.Error("an invocation got the answer of another one")
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}
