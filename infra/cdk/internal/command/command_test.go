package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is wrong with the machine is said before anything is built or fetched.
func TestRefusedBeforehand(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*folder)
		verb    string
		args    []string
		says    string
	}{
		"no such verb": {
			verb: "apply", says: `There is no "apply": allowed are synth, diff, deploy, destroy, bootstrap, rollback.`,
		},
		"no Node.js": {
			prepare: func(f *folder) {
				f.env[0] = "PATH=" + filepath.Join(f.path, "empty")
			},
			says: "Node.js is missing, which the AWS CDK runs on: install version 20 or newer",
		},
		"an old Node.js": {
			prepare: func(f *folder) { f.program("node", "echo v16.20.2") },
			says:    "Node.js 16.20.2 is not supported by the AWS CDK: install version 20 or newer",
		},
		"a Node.js that does not start": {
			prepare: func(f *folder) { f.program("node", "exit 127") },
			says:    "'node --version' fails (exit status 127)",
		},
		"no region": {
			says: "There is no region: set AWS_REGION",
		},
		"no region, with a profile": {
			prepare: func(f *folder) {
				f.profiles("[profile ops]\n")
				f.env = append(f.env, "AWS_PROFILE=ops")
			},
			says: "or give profile ops one",
		},
		"no region, with a profile that is not there": {
			prepare: func(f *folder) { f.env = append(f.env, "AWS_PROFILE=ops") },
			says:    "There is no profile ops in ",
		},
		"a parameter without -c": {
			verb: "synth", args: []string{"--quiet=true", "retentionDays=14"},
			says: "retentionDays=14 needs a -c before it, as every parameter does: ARGS='-c retentionDays=14'.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.fakeCDK("")
			if test.prepare != nil {
				test.prepare(f)
			}
			if test.verb == "" {
				test.verb = "deploy"
			}
			require.ErrorContains(t, f.run(&screen{}, 0, test.verb, test.args...), test.says)
			require.NotContains(t, f.called(), "cdk")
			require.NotContains(t, f.called(), "go build")
		})
	}
}

func TestBuildsAndRuns(t *testing.T) {
	f := newFolder(t)
	f.fakeCDK("")
	f.env = append(f.env, "AWS_REGION=eu-west-1")
	require.NoError(t, f.run(&screen{}, 0, "deploy", "-c", "retentionDays=14", "--require-approval", "never"))
	require.Equal(t, `go build -o bin/blox-cdk .
make --no-print-directory -C ../.. build LAMBDA_GOARCH=arm64
git describe --always --tags --dirty
cdk deploy --no-notices --ci=false -c version=v1.2.3-4-gabcdef -c retentionDays=14 --require-approval never
`, f.called())
}

// What is in cdk.out is of this synth, not of one before for another installation.
func TestSynthLeavesNothingOld(t *testing.T) {
	f := newFolder(t)
	f.fakeCDK("test ! -e cdk.out")
	require.NoError(t, os.Mkdir(filepath.Join(f.path, "cdk.out"), 0o755))
	f.write("cdk.out/Blox-old.template.json", "{}", 0o644)
	shown := &screen{}
	require.NoError(t, f.run(shown, 0, "synth"))
	require.Equal(t, "blox: Wrote "+filepath.Join(f.path, "cdk.out", "Blox-blox.template.json")+"\n", shown.String())

	f.write("node_modules/.bin/cdk", "#!/bin/sh\n", 0o755)
	require.ErrorContains(t, f.run(shown, 0, "synth"), "there are none in "+filepath.Join(f.path, "cdk.out"))
}

// Without its history a source has no version of its own.
func TestVersionWithoutGit(t *testing.T) {
	for _, git := range []string{"exit 128", "echo 'fatal: x y'", "echo"} {
		f := newFolder(t)
		f.fakeCDK("")
		f.program("git", git)
		require.NoError(t, f.run(&screen{}, 0, "synth"))
		require.Contains(t, f.called(), "-c version=dev\n", git)
	}
}

func TestBuildFails(t *testing.T) {
	for program, says := range map[string]string{
		"go":   "'go build -o bin/blox-cdk .' failed: the lines above say why.",
		"make": "'make --no-print-directory -C ../.. build LAMBDA_GOARCH=arm64' failed: the lines above say why.",
	} {
		t.Run(program, func(t *testing.T) {
			f := newFolder(t)
			f.fakeCDK("")
			f.program(program, "echo the cause >&2; exit 1")
			shown := &screen{}
			require.EqualError(t, f.run(shown, 0, "synth"), says)
			require.Equal(t, "the cause\n", shown.String())
			require.NotContains(t, f.called(), "cdk synth")
		})
	}
}

// The CDK is fetched once, and again when the pin changes.
func TestInstall(t *testing.T) {
	f := newFolder(t)
	f.fakeCDK("")
	require.NoError(t, f.run(&screen{}, 0, "synth"))
	require.NotContains(t, f.called(), "npm")

	require.NoError(t, os.Remove(filepath.Join(f.path, "node_modules", ".package-lock.json")))
	require.NoError(t, f.run(&screen{}, 0, "synth"))
	require.Contains(t, f.called(), "npm ci --ignore-scripts --no-audit --no-fund\n")

	f.write("node_modules/.package-lock.json", `{"packages":{"node_modules/aws-cdk": {"version": "2.0.0"}}}`, 0o644)
	f.program("npm", "echo ENETUNREACH >&2; exit 1")
	shown := &screen{}
	require.EqualError(t, f.run(shown, 0, "synth"),
		"The AWS CDK could not be fetched from npm's registry: check the network and npm's settings ('npm config get registry'), then repeat.")
	require.Contains(t, shown.String(), "ENETUNREACH")

	require.NoError(t, os.Remove(filepath.Join(f.path, "path", "npm")))
	f.env[0] = "PATH=" + filepath.Join(f.path, "path")
	require.ErrorContains(t, f.run(&screen{}, 0, "synth"), "npm is missing, which fetches the AWS CDK: install version 20 or newer")
}

// The pin in the lockfile is one that is known to work.
func TestPin(t *testing.T) {
	lockfile, err := os.ReadFile("../../package-lock.json")
	require.NoError(t, err)
	require.Equal(t, "2.1148.1", pinOf(lockfile))
}

func TestEnvironment(t *testing.T) {
	show := `for name in CDK_DISABLE_CLI_TELEMETRY AWS_REGION CDK_VALIDATION AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION; do
eval echo "$name=\$$name"; done`
	run := func(t *testing.T, verb string, env ...string) string {
		t.Helper()
		f := newFolder(t)
		f.fakeCDK(show)
		f.env = append(f.env, env...)
		shown := &screen{}
		require.NoError(t, f.run(shown, 0, verb))
		said, _, _ := strings.Cut(shown.String(), "blox: Wrote")
		return said
	}
	require.Equal(t, "CDK_DISABLE_CLI_TELEMETRY=true\nAWS_REGION=\nCDK_VALIDATION=\nAWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=\n",
		run(t, "synth"), "synth checks CloudFormation's rules")
	require.Equal(t, "CDK_DISABLE_CLI_TELEMETRY=true\nAWS_REGION=eu-west-3\nCDK_VALIDATION=false\nAWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=\n",
		run(t, "diff", "AWS_DEFAULT_REGION=eu-west-3"), "the CDK is told the region that was found")
	require.Equal(t, "CDK_DISABLE_CLI_TELEMETRY=true\nAWS_REGION=eu-west-3\nCDK_VALIDATION=true\nAWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=http://localhost:4566\n",
		run(t, "deploy", "AWS_REGION=eu-west-3", "CDK_VALIDATION=true", "AWS_ENDPOINT_URL=http://127.0.0.1:4566"), "an emulator")
}

// Only an emulator is deployed to without change sets.
func TestMethod(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                      "cdk deploy --no-notices --ci=false -c version",
		"http://127.0.0.1:4566": "cdk deploy --no-notices --ci=false --method=direct -c version",
	} {
		f := newFolder(t)
		f.fakeCDK("")
		f.env = append(f.env, "AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL="+endpoint)
		require.NoError(t, f.run(&screen{}, 0, "deploy"))
		require.Contains(t, f.called(), want)
	}
}

// The app says itself which parameter is wrong; the CDK only that the app failed.
func TestAppFails(t *testing.T) {
	f := newFolder(t)
	f.write("cdk.json", `{"app": "sh -c 'echo parameter retentionDays is \"0\" >&2; exit 1'"}`, 0o644)
	shown := &screen{}
	require.EqualError(t, f.run(shown, 0, "synth", "-c", "retentionDays=0"),
		"The stack could not be put together: the lines above say which parameter or file is wrong.")
	require.Contains(t, shown.String(), "parameter retentionDays is")
}

// What belongs to an option is its own affair.
func TestValuesOfOptionsAreNoParameters(t *testing.T) {
	for _, args := range [][]string{{"--tags", "team=ops"}, {"--context", "retentionDays=14"}, {"--tags=team=ops"}, {"Blox-blox"}} {
		require.NoError(t, checkArguments(args), args)
	}
	for _, args := range [][]string{{"retentionDays=14"}, {"-c", "retentionDays=14", "watchers=3"}, {"-c=a=b", "watchers=3"}} {
		require.ErrorContains(t, checkArguments(args), " needs a -c before it", args)
	}
}
