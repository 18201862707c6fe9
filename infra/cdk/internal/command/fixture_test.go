package command

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// folder is an infra/cdk with the pinned CDK and an app that is synthesized already. Programs of PATH are stand-ins that
// write down how they were called, but for node.
type folder struct {
	t    *testing.T
	path string
	log  string
	env  []string
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{t: t, path: t.TempDir()}
	f.log = filepath.Join(f.path, "called.log")
	module, err := filepath.Abs("../..")
	require.NoError(t, err)
	assembly, err := filepath.Abs("testdata/assembly")
	require.NoError(t, err)
	f.write("package-lock.json", f.read(filepath.Join(module, "package-lock.json")), 0o644)
	f.write("cdk.json", fmt.Sprintf(`{"app": %q}`, assembly), 0o644)
	f.fetchCDK(module)
	node, err := exec.LookPath("node")
	require.NoError(t, err, "the CDK runs on Node.js")
	require.NoError(t, os.MkdirAll(filepath.Join(f.path, "path"), 0o755))
	require.NoError(t, os.Symlink(node, filepath.Join(f.path, "path", "node")))
	f.program("go", "")
	f.program("make", "")
	f.program("npm", "")
	f.program("git", "echo v1.2.3-4-gabcdef")
	f.env = []string{
		"PATH=" + filepath.Join(f.path, "path") + ":/bin:/usr/bin", "HOME=" + f.path, "CDK_HOME=" + t.TempDir(),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "CI=true",
	}
	return f
}

// fetchCDK makes the real CDK the folder's, fetching it once for the whole module if it is not there yet.
func (f *folder) fetchCDK(module string) {
	f.t.Helper()
	fetching := &Command{Directory: module, Environ: os.Environ(), Stderr: os.Stderr}
	require.NoError(f.t, fetching.install(f.t.Context()))
	require.NoError(f.t, os.Symlink(filepath.Join(module, "node_modules"), filepath.Join(f.path, "node_modules")))
}

func (f *folder) read(path string) string {
	f.t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(f.t, err)
	return string(content)
}

func (f *folder) write(name, content string, mode os.FileMode) {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(filepath.Join(f.path, name), []byte(content), mode))
}

// profiles writes the config file of AWS's tools.
func (f *folder) profiles(text string) {
	f.t.Helper()
	require.NoError(f.t, os.MkdirAll(filepath.Join(f.path, ".aws"), 0o755))
	f.write(".aws/config", text, 0o600)
}

// noNames lets no program of Node.js find a host by its name.
func (f *folder) noNames() {
	f.t.Helper()
	f.write("nonames.js", `require("dns").lookup = (host, options, done) => {
  done = done || options;
  const failed = Object.assign(new Error("getaddrinfo ENOTFOUND " + host), { errno: -3008, code: "ENOTFOUND", syscall: "getaddrinfo", hostname: host });
  process.nextTick(done, failed);
};`, 0o644)
	f.env = append(f.env, "NODE_OPTIONS=--require="+filepath.Join(f.path, "nonames.js"))
}

// program puts a stand-in into PATH.
func (f *folder) program(name, script string) {
	f.t.Helper()
	path := filepath.Join(f.path, "path", name)
	require.NoError(f.t, os.RemoveAll(path))
	f.write(filepath.Join("path", name), fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >> %q\n%s\n", name, f.log, script), 0o755)
}

// fakeCDK puts a stand-in in the place of the CDK. It runs the script, and where that ends well synth writes a template.
func (f *folder) fakeCDK(script string) {
	f.t.Helper()
	require.NoError(f.t, os.RemoveAll(filepath.Join(f.path, "node_modules")))
	require.NoError(f.t, os.MkdirAll(filepath.Join(f.path, "node_modules", ".bin"), 0o755))
	f.write("node_modules/.package-lock.json", f.read(filepath.Join(f.path, "package-lock.json")), 0o644)
	f.write("node_modules/.bin/cdk", fmt.Sprintf("#!/bin/sh\necho cdk \"$@\" >> %q\n%s\n"+synthesized, f.log, script), 0o755)
}

const synthesized = `status=$?
if [ "$1" = synth ] && [ $status = 0 ]; then /bin/mkdir -p cdk.out && echo '{}' > cdk.out/Blox-blox.template.json; fi
exit $status
`

func (f *folder) called() string {
	content, err := os.ReadFile(f.log)
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(f.t, err)
	return string(content)
}

// screen is what people see, written by the CDK and by the hint's timer.
type screen struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	seen   func(all string)
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	n, err := s.buffer.Write(p)
	all := s.buffer.String()
	s.mu.Unlock()
	if s.seen != nil {
		s.seen(all)
	}
	return n, err
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.String()
}

// run runs a verb. A CDK that hangs ends after a minute.
func (f *folder) run(shown *screen, quiet time.Duration, verb string, args ...string) error {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	c := &Command{
		Directory: f.path, Verb: verb, Args: args, Environ: f.env,
		Stdin: &bytes.Buffer{}, Stdout: shown, Stderr: shown, Quiet: quiet,
	}
	return c.Run(ctx)
}
