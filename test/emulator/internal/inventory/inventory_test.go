package inventory

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLeftIsWhatWasNotThereBefore(t *testing.T) {
	require.Equal(t, []string{"role b"}, Left([]string{"role a", "table t"}, []string{"role a", "role b"}))
	require.Empty(t, Left([]string{"role a"}, nil))
}

func TestElementsOfAnAnswer(t *testing.T) {
	names, err := elements(`<R><Roles><member><RoleName>a</RoleName></member><member><RoleName>b</RoleName></member></Roles></R>`, "RoleName")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, names)
	_, err = elements(`<R><Roles>`, "RoleName")
	require.Error(t, err)
}
