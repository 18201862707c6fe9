package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// fakeNPM puts an npm with the given shell script alone on the PATH, beside
// what the script itself needs.
func fakeNPM(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\n"+script), 0o700)) //nolint:gosec // it must run
	t.Setenv("PATH", bin+":/usr/bin:/bin")
}

const makeEngine = `
mkdir -p node_modules/amplify-dynamodb-simulator/emulator
echo jar > node_modules/amplify-dynamodb-simulator/emulator/DynamoDBLocal.jar
`

func TestInstallHappensOnce(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	fakeNPM(t, "echo \"$@\" >> "+log+"; sleep 0.2"+makeEngine)
	cache := filepath.Join(t.TempDir(), "not", "made", "yet")
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			engine, err := installInto(context.Background(), cache)
			if err == nil && !isInstalled(engine) {
				t.Error("installInto returned before the engine was there")
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	calls, err := os.ReadFile(log) //nolint:gosec // our own file
	require.NoError(t, err)
	require.Equal(t, "ci --ignore-scripts --no-audit --no-fund --loglevel=error\n", string(calls))

	left, err := filepath.Glob(filepath.Join(cache, "dynamodb-local-new-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestInstallFails(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"npm fails":         {"echo no network >&2; exit 7", `installing DynamoDB Local with "npm ci" failed, is npm's registry reachable? exit status 7: no network`},
		"another layout":    {"mkdir -p node_modules", "left no DynamoDBLocal.jar"},
		"half an engine":    {"mkdir -p node_modules/amplify-dynamodb-simulator/emulator; exit 1", "failed"},
		"nothing but noise": {"exit 1", "(none)"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeNPM(t, c.script)
			cache := t.TempDir()
			_, err := installInto(t.Context(), cache)
			require.ErrorContains(t, err, c.want)
			left, err := filepath.Glob(filepath.Join(cache, "*"))
			require.NoError(t, err)
			for _, path := range left {
				require.True(t, strings.HasSuffix(path, ".lock"), "left behind: %s", path)
			}
			// The next try is not disturbed by it.
			fakeNPM(t, makeEngine)
			engine, err := installInto(t.Context(), cache)
			require.NoError(t, err)
			require.True(t, isInstalled(engine))
		})
	}
}

func TestInstallReplacesWhatIsBroken(t *testing.T) {
	fakeNPM(t, makeEngine)
	cache := t.TempDir()
	home, err := homeIn(cache)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(home, "node_modules", "half"), 0o750))
	engine, err := installInto(t.Context(), cache)
	require.NoError(t, err)
	require.True(t, isInstalled(engine))
	require.NoDirExists(t, filepath.Join(home, "node_modules", "half"))
}

func TestInstallStopsWithItsContext(t *testing.T) {
	fakeNPM(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	cache := t.TempDir()
	_, err := installInto(ctx, cache)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	// Nor does it wait forever for another's lock.
	home, err := homeIn(cache)
	require.NoError(t, err)
	unlock, err := lock(t.Context(), home+".lock")
	require.NoError(t, err)
	defer unlock()
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = installInto(ctx, cache)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "waiting for another installation of DynamoDB Local")
}

func TestMissingTools(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), Options{})
	require.ErrorContains(t, err, "there is no java on the PATH: install one")

	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\nexit 1\n"), 0o700)) //nolint:gosec // it must run
	t.Setenv("PATH", bin)
	_, err = Start(t.Context(), Options{})
	require.ErrorContains(t, err, "there is no npm on the PATH: install Node.js")

	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	_, err = Start(t.Context(), Options{})
	require.ErrorContains(t, err, "set HOME or XDG_CACHE_HOME")
}
