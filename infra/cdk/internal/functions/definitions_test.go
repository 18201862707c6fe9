package functions

import (
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/require"
)

func TestWatchersAreReserved(t *testing.T) {
	require.Equal(t, jsii.Number(7), reserved(7))
	require.Nil(t, reserved(0), "no reservation, and not one of none")
}
