package command

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

var filtered = map[string]string{
	"Runtime process exited abnormally: waitid: no child processesStack Blox-blox\n":                        "Stack Blox-blox\n",
	"a: Runtime process exited abnormally: waitid: no child processes\nb\n":                                 "a: \nb\n",
	"Runtime process exited abnormally: exit status 1\n":                                                    "Runtime process exited abnormally: exit status 1\n",
	"82 feature flags are not configured. Run 'cdk flags --unstable=flags' to learn more.\n2 resources\n":   "2 resources\n",
	"IAM\n3 feature flags are not configured. Run 'cdk flags'.\nDo you wish to deploy these changes (y/n) ": "IAM\nDo you wish to deploy these changes (y/n) ",
	"12":     "12",
	"Runtim": "Runtim",
	"":       "",
}

// Nothing but the noise is left out, wherever the text is cut into pieces.
func TestFilter(t *testing.T) {
	for said, want := range filtered {
		for first := range len(said) + 1 {
			for second := first; second <= len(said); second++ {
				var shown bytes.Buffer
				f := &filter{to: &shown}
				for _, piece := range []string{said[:first], said[first:second], said[second:]} {
					n, err := f.Write([]byte(piece))
					require.NoError(t, err)
					require.Equal(t, len(piece), n)
				}
				require.NoError(t, f.flush())
				require.Equal(t, want, shown.String(), "cut at %d and %d", first, second)
			}
		}
	}
}

// A question has no end of line, and is to be read before it is answered.
func TestFilterHoldsNoQuestionBack(t *testing.T) {
	var shown bytes.Buffer
	f := &filter{to: &shown}
	_, err := f.Write([]byte(noChild + "Do you wish to deploy these changes (y/n) "))
	require.NoError(t, err)
	require.Equal(t, "Do you wish to deploy these changes (y/n) ", shown.String())
}
