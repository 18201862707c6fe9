package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// cdk runs the pinned CDK and returns the last of what it said on stderr, where it puts everything but data.
func (c *Command) cdk(ctx context.Context, run Run, nodeMajor int, args []string) (said string, err error) {
	path := filepath.Join(c.Directory, "node_modules", ".bin", "cdk")
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the pinned CDK, with what the user asked for
	cmd.Dir, cmd.Env = c.Directory, c.environment(run, nodeMajor)
	// Stdin and stdout are passed on as they are: the CDK asks only a terminal.
	cmd.Stdin, cmd.Stdout = c.Stdin, c.Stdout
	heard := &tail{to: c.Stderr, shown: filter{to: c.Stderr}, waiting: c.waitsForOthers(run), hint: c.hint()}
	defer heard.stop()
	if heard.waiting {
		heard.after(c.Quiet)
	}
	cmd.Stderr = heard
	err = cmd.Run()
	if err != nil && !isExit(err) {
		return err.Error(), err
	}
	return heard.String(), err
}

func isExit(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit)
}

// waitsForOthers says whether the CDK waits without a word while another operation works on the stack.
func (c *Command) waitsForOthers(run Run) bool { return c.Quiet > 0 && run.Verb == "deploy" }

func (c *Command) hint() string {
	return fmt.Sprintf("blox: The CDK has said nothing for %s: if another operation works on the stack it waits for that to end; "+
		"CloudFormation's events of the stack tell.\n", c.Quiet)
}

// environment is what the CDK runs with.
func (c *Command) environment(run Run, nodeMajor int) []string {
	env := append([]string(nil), c.Environ...)
	set := func(name, value string) {
		if c.getenv(name) == "" {
			env = append(env, name+"="+value)
		}
	}
	set("CDK_DISABLE_CLI_TELEMETRY", "true")
	set("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true")
	if run.Region != "" {
		set("AWS_REGION", run.Region)
	}
	if nodeMajor == leastNode {
		// Node.js 20 is past its end of life, and the app says so in ten lines; it still works.
		set("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
	}
	if c.Verb != "synth" {
		// CloudFormation's rules take ten seconds to check: synth does it, and CI runs synth.
		set("CDK_VALIDATION", "false")
	}
	if endpoint := c.getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		// moto reads a template from S3 only if the URL's host is called localhost.
		set("AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION", strings.Replace(endpoint, "//127.0.0.1", "//localhost", 1))
	}
	return env
}

// kept is how much of the CDK's words is kept: the events of a large stack are many, its last words say why it failed.
const kept = 256 << 10

// deploying is what the CDK says when it hands the deploy to CloudFormation; from then on it is CloudFormation that takes
// its time.
var deploying = regexp.MustCompile(`creating CloudFormation changeset|deploying\.\.\.`)

// tail passes on what is written to it, without the noise, and keeps the end of it.
type tail struct {
	to io.Writer
	// shown is to, behind the filter.
	shown filter

	mu      sync.Mutex
	last    []byte
	waiting bool
	hint    string
	quiet   time.Duration
	timer   *time.Timer
}

// after prints the hint, once, when nothing was written for that long.
func (t *tail) after(quiet time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet = quiet
	t.timer = time.AfterFunc(quiet, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.waiting {
			t.waiting = false
			fmt.Fprint(t.to, t.hint)
		}
	})
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if len(t.last) > kept {
		t.last = append([]byte(nil), t.last[len(t.last)-kept:]...)
	}
	if t.waiting {
		t.waiting = !deploying.Match(p)
		t.timer.Reset(t.quiet)
	}
	return t.shown.Write(p)
}

func (t *tail) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = false
	if t.timer != nil {
		t.timer.Stop()
	}
	// Like all that is written to people, it is lost if they have gone.
	_ = t.shown.flush()
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
