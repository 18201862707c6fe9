// Package synthtest runs the tests of packages that make CDK constructs.
package synthtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// environment turns the CDK's own validator off, which takes ten times as long as all the rest and looks at whole
// deployments, and the banner of its Node.js runtime.
var environment = map[string]string{
	"CDK_VALIDATION": "false",
	"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
}

// Main is what a TestMain calls. It does not return.
//
// The bindings of the CDK take a copy of the environment while their packages are initialized, before any code of ours:
// setting a variable has no effect on them. So the test's program is started a second time, with them set.
func Main(m *testing.M, prepare func() error) {
	set := true
	for name, value := range environment {
		set = set && os.Getenv(name) == value
	}
	if !set {
		os.Exit(again())
	}
	code := 1
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	jsii.Close()
	os.Exit(code)
}

func again() int {
	for name, value := range environment {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	program := exec.CommandContext(context.Background(), os.Args[0], os.Args[1:]...)
	program.Stdin, program.Stdout, program.Stderr = os.Stdin, os.Stdout, os.Stderr
	var failed *exec.ExitError
	switch err := program.Run(); {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		return max(1, failed.ExitCode()) // -1 of one that a signal ended
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}
