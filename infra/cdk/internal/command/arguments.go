package command

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// bare is a parameter that is given without -c. The CDK takes it for the name of a stack.
var bare = regexp.MustCompile(`^[A-Za-z]\w*=`)

// checkArguments refuses parameters without -c before anything is built. What follows an option may be its value: where it
// is not the CDK finds no stack of that name, and Explain says the same.
func checkArguments(args []string) error {
	for i, arg := range args {
		mayBeValue := i > 0 && strings.HasPrefix(args[i-1], "-") && !strings.Contains(args[i-1], "=")
		if bare.MatchString(arg) && !mayBeValue {
			return Problem(bareParameter(arg))
		}
	}
	return nil
}

func bareParameter(arg string) string {
	return fmt.Sprintf("%s needs a -c before it, as every parameter does: ARGS='-c %[1]s'.", arg)
}

// profileArgument is the profile that --profile names.
func (c *Command) profileArgument() (profile string, given bool) {
	for i, arg := range c.Args {
		if value, joined := strings.CutPrefix(arg, "--profile="); joined {
			return value, true
		}
		if arg == "--profile" && i+1 < len(c.Args) {
			return c.Args[i+1], true
		}
	}
	return "", false
}

// contexts are the parameters among the arguments, as `-c name=value` again.
func contexts(args []string) []string {
	var found []string
	for i, arg := range args {
		value, joined := strings.CutPrefix(arg, "--context=")
		if !joined {
			value, joined = strings.CutPrefix(arg, "-c=")
		}
		switch {
		case joined:
			found = append(found, "-c", value)
		case (arg == "-c" || arg == "--context") && i+1 < len(args):
			found = append(found, "-c", args[i+1])
		}
	}
	return found
}

// arguments are the CDK's.
func (c *Command) arguments(ctx context.Context) []string {
	// In CI the CDK says things on stdout, where this package does not listen.
	args := []string{c.Verb, "--no-notices", "--ci=false"}
	switch {
	case c.Verb == "synth":
		args = append(args, "--quiet")
	case c.Verb == "deploy" && c.emulated() && !slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "--method") }):
		// Change sets of emulators forget DependsOn.
		args = append(args, "--method=direct")
	}
	if !slices.ContainsFunc(contexts(c.Args), func(a string) bool { return strings.HasPrefix(a, "version=") }) {
		args = append(args, "-c", "version="+c.version(ctx))
	}
	return append(args, c.Args...)
}

var versionPattern = regexp.MustCompile(`^[\w.+-]{1,64}$`)

// version is what is deployed, as git names it.
func (c *Command) version(ctx context.Context) string {
	out, err := c.output(ctx, c.Directory, "git", "describe", "--always", "--tags", "--dirty")
	version := strings.TrimSpace(out)
	if err != nil || !versionPattern.MatchString(version) {
		return "dev" // a source without its history
	}
	return version
}

func (c *Command) emulated() bool { return c.getenv("AWS_ENDPOINT_URL") != "" }
