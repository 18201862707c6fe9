package command

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

// machine is what an architecture of Lambda's is called by Go and in ELF files.
type machine struct {
	goarch string
	elf    elf.Machine
}

var machines = map[string]machine{
	settings.ARM64: {"arm64", elf.EM_AARCH64},
	settings.X8664: {"amd64", elf.EM_X86_64},
}

// lambdas are the folders of the functions, as the Makefile's LAMBDAS.
var lambdas = []string{"ingest", "reconcile", "api", "scheduler"}

// architecture is the parameter of that name, or what it is by itself.
func (c *Command) architecture() (string, error) {
	given := c.parameter("architecture")
	if given == "" {
		return settings.ARM64, nil
	}
	if _, known := machines[given]; !known {
		return "", Problem(fmt.Sprintf("The parameter architecture is %q: allowed are %s and %s.", given, settings.ARM64, settings.X8664))
	}
	return given, nil
}

// parameter is a parameter's value as the app will see it: from the arguments, where the last one counts, or else from
// the context of cdk.json. It is empty if the parameter is not given.
func (c *Command) parameter(name string) string {
	for _, given := range slices.Backward(contexts(c.Args)) {
		if value, ok := strings.CutPrefix(given, name+"="); ok {
			return value
		}
	}
	var file struct {
		Context map[string]any `json:"context"`
	}
	// A file that is missing or broken is the CDK's to report.
	if text, err := os.ReadFile(filepath.Join(c.Directory, "cdk.json")); err == nil && json.Unmarshal(text, &file) == nil {
		if value, ok := file.Context[name].(string); ok {
			return value
		}
	}
	return ""
}

// checkFunctions refuses functions that Lambda could not start: it would take them, and every call would fail.
func (c *Command) checkFunctions(directory, architecture string) error {
	if !filepath.IsAbs(directory) {
		directory = filepath.Join(c.Directory, directory)
	}
	for _, name := range lambdas {
		path := filepath.Join(directory, name, "bootstrap")
		program, err := elf.Open(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return Problem(fmt.Sprintf("There is no %s: functionsDirectory is to hold the built functions, as 'make build' makes them in dist.", path))
		case err != nil:
			return Problem(fmt.Sprintf("%s is no program for Linux (%v): build the functions anew, as 'make build' does.", path, err))
		}
		if err := program.Close(); err != nil {
			return Problem(fmt.Sprintf("%s cannot be read: %v.", path, err))
		}
		if built := program.Machine; built != machines[architecture].elf {
			return Problem(fmt.Sprintf("%s is built for another machine (%s) than the parameter architecture says (%s): build it with 'make build LAMBDA_GOARCH=%s', or give the architecture that it is built for.",
				path, built, architecture, machines[architecture].goarch))
		}
	}
	return nil
}
