package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Verbs are what can be done to the stack.
var Verbs = []string{"synth", "diff", "deploy", "destroy", "bootstrap", "rollback"}

// Command is one run of the CDK.
type Command struct {
	// Directory is infra/cdk.
	Directory string
	// Verb is one of Verbs, Args go to the CDK as they are.
	Verb string
	Args []string
	// Environ is the environment, as os.Environ has it.
	Environ []string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	// Quiet is how long the CDK may say nothing before a deploy begins until people are told what it may be waiting for.
	Quiet time.Duration
}

// Run builds what the verb needs and runs the CDK. The error's text is one sentence for people; what led to it has been
// printed.
func (c *Command) Run(ctx context.Context) error {
	if !slices.Contains(Verbs, c.Verb) {
		return Problem(fmt.Sprintf("There is no %q: allowed are %s.", c.Verb, strings.Join(Verbs, ", ")))
	}
	if err := checkArguments(c.Args); err != nil {
		return err
	}
	major, err := c.checkNode(ctx)
	if err != nil {
		return err
	}
	run := Run{Verb: c.Verb, Endpoint: c.getenv("AWS_ENDPOINT_URL"), Profile: c.getenv("AWS_PROFILE")}
	run.NoProfile = noProfile(c.getenv, run.Profile)
	if c.Verb != "synth" {
		if run.Region, err = Region(c.getenv); err != nil {
			return err
		}
	}
	if err := c.install(ctx); err != nil {
		return err
	}
	if err := c.build(ctx); err != nil {
		return err
	}
	if c.Verb == "synth" {
		// The CDK leaves the templates of other installations and members where they are, to be taken for this one's.
		if err := os.RemoveAll(filepath.Join(c.Directory, "cdk.out")); err != nil {
			return Problem(fmt.Sprintf("The templates of the last time are in the way (%v): remove %s, then repeat.", err, filepath.Join(c.Directory, "cdk.out")))
		}
	}
	said, err := c.cdk(ctx, run, major, c.arguments(ctx))
	if err == nil && c.Verb == "synth" {
		return c.tellTemplates()
	}
	if err == nil {
		return nil
	}
	if accountUnknown(said) {
		// Lists the stacks of the app, touches nothing, and says on the way why there is no account.
		quiet := *c
		quiet.Stdout, quiet.Stderr = io.Discard, io.Discard
		list := append([]string{"list", "--verbose", "--no-notices", "--ci=false"}, contexts(c.Args)...)
		if profile, given := c.profileArgument(); given {
			list = append(list, "--profile", profile)
		}
		why, listErr := quiet.cdk(ctx, run, major, list)
		if listErr == nil {
			said = why + said
		}
	}
	return Explain(run, said)
}

// tellTemplates says where the templates are: the CDK writes them without a word.
func (c *Command) tellTemplates() error {
	written, err := filepath.Glob(filepath.Join(c.Directory, "cdk.out", "*.template.json"))
	if err != nil || len(written) == 0 {
		return Problem("The CDK says that it wrote templates, and there are none in " + filepath.Join(c.Directory, "cdk.out") + ".")
	}
	for _, path := range written {
		fmt.Fprintln(c.Stdout, "blox: Wrote", path)
	}
	return nil
}

func (c *Command) getenv(name string) string {
	if name == "AWS_PROFILE" {
		if profile, given := c.profileArgument(); given {
			return profile
		}
	}
	// As for a process, the last one counts.
	for _, variable := range slices.Backward(c.Environ) {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// output runs a program and returns all that it printed.
func (c *Command) output(ctx context.Context, directory, program string, args ...string) (string, error) {
	path, err := c.find(program)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // programs of this package's own choice
	cmd.Dir, cmd.Env = directory, c.Environ
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// find looks a program up in the PATH of Environ.
func (c *Command) find(program string) (string, error) {
	for _, directory := range filepath.SplitList(c.getenv("PATH")) {
		path := filepath.Join(directory, program)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}

func (c *Command) checkNode(ctx context.Context) (major int, err error) {
	version, err := c.output(ctx, c.Directory, "node", "--version")
	if errors.Is(err, exec.ErrNotFound) {
		return 0, Problem("Node.js is missing, which the AWS CDK runs on: " + nodeAdvice)
	}
	if err != nil {
		return 0, Problem(fmt.Sprintf("'node --version' fails (%v), and the AWS CDK runs on Node.js: %s", err, nodeAdvice))
	}
	return CheckNode(version)
}

// install fetches the pinned CDK, unless it is there in the version that the lockfile pins.
func (c *Command) install(ctx context.Context) error {
	pinned, err := os.ReadFile(filepath.Join(c.Directory, "package-lock.json"))
	if err != nil {
		return Problem(fmt.Sprintf("The pin of the CDK cannot be read (%v): check the folder out anew.", err))
	}
	// npm writes a lockfile of what is there, with the same entries.
	installed, err := os.ReadFile(filepath.Join(c.Directory, "node_modules", ".package-lock.json"))
	if err == nil && pinOf(installed) != "" && pinOf(installed) == pinOf(pinned) {
		return nil
	}
	out, err := c.output(ctx, c.Directory, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return Problem("npm is missing, which fetches the AWS CDK: " + nodeAdvice)
	case err != nil:
		fmt.Fprint(c.Stderr, out)
		return Problem("The AWS CDK could not be fetched from npm's registry: check the network and npm's settings ('npm config get registry'), then repeat.")
	}
	return nil
}

var pinPattern = regexp.MustCompile(`"node_modules/aws-cdk": \{\s*"version": "([^"]+)"`)

// pinOf is the version of the CDK in an npm lockfile.
func pinOf(lockfile []byte) string {
	match := pinPattern.FindSubmatch(lockfile)
	if match == nil {
		return ""
	}
	return string(match[1])
}

// build builds the app and what it deploys. Functions that were built elsewhere (-c functionsDirectory=…) are taken as
// they are.
func (c *Command) build(ctx context.Context) error {
	architecture, err := c.architecture()
	if err != nil {
		return err
	}
	given := c.parameter("functionsDirectory")
	if given != "" {
		if err := c.checkFunctions(given, architecture); err != nil {
			return err
		}
	}
	steps := [][]string{{"go", "build", "-o", "bin/blox-cdk", "."}}
	if given == "" {
		steps = append(steps, []string{"make", "--no-print-directory", "-C", "../..", "build", "LAMBDA_GOARCH=" + machines[architecture].goarch})
	}
	for _, step := range steps {
		out, err := c.output(ctx, c.Directory, step[0], step[1:]...)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return Problem(fmt.Sprintf("%s is missing: install it ('apt-get install %[1]s', 'brew install %[1]s'), then repeat.", step[0]))
		case err != nil:
			fmt.Fprint(c.Stderr, out)
			return Problem(fmt.Sprintf("'%s' failed: the lines above say why.", strings.Join(step, " ")))
		}
	}
	return nil
}
