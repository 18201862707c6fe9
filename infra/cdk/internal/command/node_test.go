package command

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckNode(t *testing.T) {
	for _, test := range []struct {
		version, wrong string
		major          int
	}{
		{version: "v20.20.2\n", major: 20},
		{version: "v24.0.0", major: 24},
		{version: "v18.19.0\n", wrong: "Node.js 18.19.0 is not supported"},
		{version: "v8.0.0", wrong: "Node.js 8.0.0 is not supported"},
		{version: "", wrong: `says "", which is no version`},
		{version: "nodejs", wrong: `says "nodejs", which is no version`},
	} {
		t.Run(test.version, func(t *testing.T) {
			major, err := CheckNode(test.version)
			if test.wrong == "" {
				require.NoError(t, err)
				require.Equal(t, test.major, major)
				return
			}
			require.ErrorContains(t, err, test.wrong)
			require.ErrorContains(t, err, "install version 20 or newer")
		})
	}
}
