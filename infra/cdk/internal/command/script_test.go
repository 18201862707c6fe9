package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// script runs a copy of one of infra/cdk's scripts, in a folder and with a PATH of its own. It returns what the script
// printed and its exit code.
func script(t *testing.T, name string, programs, files map[string]string, args ...string) (printed string, code int) {
	t.Helper()
	directory := t.TempDir()
	path := filepath.Join(directory, "path")
	require.NoError(t, os.MkdirAll(path, 0o755))
	for _, needed := range []string{"bash", "env", "dirname", "awk"} {
		found, err := exec.LookPath(needed)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(found, filepath.Join(path, needed)))
	}
	for program, text := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(path, program), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(directory, name), text, 0o755))
	for file, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(directory, filepath.Dir(file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(directory, file), []byte(text), 0o755))
	}
	cmd := exec.Command(filepath.Join(directory, name), args...)
	cmd.Env = []string{"PATH=" + path}
	out, err := cmd.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestStackScript(t *testing.T) {
	module := map[string]string{"go.mod": "module x\n\ngo 1.26.8\n", "bin/stack": "#!/bin/sh\necho ran \"$3\" \"$4\"\nexit 1\n"}
	for name, test := range map[string]struct {
		programs map[string]string
		want     string
		code     int
	}{
		"no Go": {
			want: "blox: Go is missing: install version 1.26.8 or newer from https://go.dev/dl/, then repeat.\n", code: 2,
		},
		"an old Go that fetches no newer one": {
			programs: map[string]string{"go": "echo 'go: go.mod requires go >= 1.26.8 (running go 1.22.1; GOTOOLCHAIN=local)' >&2; exit 1"},
			want: "go: go.mod requires go >= 1.26.8 (running go 1.22.1; GOTOOLCHAIN=local)\n" +
				"blox: This Go is too old: install version 1.26.8 or newer from https://go.dev/dl/, then repeat.\n", code: 2,
		},
		"an old Go that cannot fetch a newer one": {
			programs: map[string]string{"go": "echo 'go: download go1.26.8 for linux/amd64: toolchain not available' >&2; exit 1"},
			want: "go: download go1.26.8 for linux/amd64: toolchain not available\n" +
				"blox: This Go is too old: install version 1.26.8 or newer from https://go.dev/dl/, then repeat.\n", code: 2,
		},
		"a source that does not compile": {
			programs: map[string]string{"go": "echo './main.go:1:1: syntax error' >&2; exit 1"},
			want:     "./main.go:1:1: syntax error\nblox: The program that drives the CDK could not be built: the lines above say why.\n", code: 2,
		},
		"all is well: its exit code is the program's": {
			programs: map[string]string{"go": "exit 0"},
			want:     "ran deploy -c\n", code: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			printed, code := script(t, "stack.sh", test.programs, module, "deploy", "-c", "retentionDays=14")
			require.Equal(t, test.want, printed)
			require.Equal(t, test.code, code)
		})
	}
}

func TestLintScript(t *testing.T) {
	lint := map[string]string{"cfn-lint": `echo "$@"`}
	printed, code := script(t, "lint.sh", nil, nil)
	require.Equal(t, "blox: cfn-lint is missing: 'pip install cfn-lint', then repeat.\n", printed)
	require.Equal(t, 2, code)

	printed, code = script(t, "lint.sh", lint, nil)
	require.Contains(t, printed, "run 'make synth' first")
	require.Equal(t, 2, code)

	lint["cfn-lint"] = `echo "$@"`
	printed, code = script(t, "lint.sh", lint, map[string]string{"cdk.out/a.template.json": "{}", "cdk.out/b.template.json": "{}"})
	require.Contains(t, printed, "--ignore-checks W3005 --format parseable --template cdk.out/a.template.json cdk.out/b.template.json\n")
	require.Zero(t, code)

	lint["cfn-lint"] = `echo E3002; exit 2`
	printed, code = script(t, "lint.sh", lint, map[string]string{"cdk.out/a.template.json": "{}"})
	require.Equal(t, "E3002\n", printed)
	require.Equal(t, 2, code)
}
