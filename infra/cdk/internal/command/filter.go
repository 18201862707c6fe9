package command

import (
	"bytes"
	"io"
	"regexp"
)

// noChild is what the app's jsii runtime says when it ends well: it waits for the same process twice, and the second time
// there is none. It ends no line, so that it sticks to whatever is said next.
const noChild = "Runtime process exited abnormally: waitid: no child processes"

// unconfigured ends what the CDK says of flags by which an app of this kind chooses between old and new behaviour. The
// flags that are not set are as they are for new apps, or of constructs that are not used; the tests of the template
// hold what comes of it.
const unconfigured = " feature flags are not configured."

var noise = regexp.MustCompile(`(?m)` + regexp.QuoteMeta(noChild) + `|^\d+` + regexp.QuoteMeta(unconfigured) + `[^\n]*\n`)

// filter leaves out what the CDK says every time and what nobody can do anything about. The rest passes at once, also
// where a line has not ended, as the CDK's questions have not.
type filter struct {
	to   io.Writer
	held []byte
}

func (f *filter) Write(p []byte) (int, error) {
	text := noise.ReplaceAll(append(f.held, p...), nil)
	pass := len(text) - begun(text)
	f.held = bytes.Clone(text[pass:])
	if _, err := f.to.Write(text[:pass]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush passes on what might have become noise and did not.
func (f *filter) flush() error {
	held := f.held
	f.held = nil
	_, err := f.to.Write(held)
	return err
}

// begun is the length of the text's end that may become noise with what is written next.
func begun(text []byte) int {
	line := text[bytes.LastIndexByte(text, '\n')+1:]
	rest := bytes.TrimLeft(line, "0123456789")
	if len(rest) < len(line) && (bytes.HasPrefix([]byte(unconfigured), rest) || bytes.HasPrefix(rest, []byte(unconfigured))) {
		return len(line)
	}
	for n := min(len(text), len(noChild)-1); n > 0; n-- {
		if bytes.HasSuffix(text, []byte(noChild[:n])) {
			return n
		}
	}
	return 0
}
