package local

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed npm/package.json npm/package-lock.json
var npmFiles embed.FS

// installTimeout bounds the download of 64 MB, and the wait for another process
// that is at it.
const installTimeout = 5 * time.Minute

// install returns the directory of the engine, which it puts into the user's
// cache directory first if it is not there. Any number of processes may do so
// at once: one downloads, the others wait for it.
func install(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("DynamoDB Local is kept in the user's cache directory and there is none, set HOME or XDG_CACHE_HOME: %w", err)
	}
	return installInto(ctx, filepath.Join(cache, "blox"))
}

func installInto(ctx context.Context, cache string) (string, error) {
	home, err := homeIn(cache)
	if err != nil {
		return "", err
	}
	engine := filepath.Join(home, "node_modules", "amplify-dynamodb-simulator", "emulator")
	if isInstalled(engine) {
		return engine, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("DynamoDB Local is installed from npm's registry and there is no npm on the PATH: install Node.js (Debian and Ubuntu: apt-get install npm; macOS: brew install node)")
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", fmt.Errorf("making the cache directory for DynamoDB Local: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	unlock, err := lock(ctx, home+".lock")
	if err != nil {
		return "", fmt.Errorf("waiting for another installation of DynamoDB Local: %w", err)
	}
	defer unlock()
	if isInstalled(engine) {
		return engine, nil // by the process that had the lock
	}
	return engine, download(ctx, npm, home)
}

// homeIn is where this version is installed. It is named by what is pinned, so
// that a new pin is installed next to the old one.
func homeIn(cache string) (string, error) {
	hash := sha256.New()
	for _, name := range []string{"npm/package.json", "npm/package-lock.json"} {
		content, err := npmFiles.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("reading the pinned version of DynamoDB Local: %w", err)
		}
		hash.Write(content)
	}
	return filepath.Join(cache, "dynamodb-local-"+hex.EncodeToString(hash.Sum(nil))[:12]), nil
}

func isInstalled(engine string) bool {
	_, err := os.Stat(filepath.Join(engine, "DynamoDBLocal.jar"))
	return err == nil
}

// download installs into a directory of its own and moves it into place when it
// is whole: an interrupted download leaves nothing that looks installed.
func download(ctx context.Context, npm, home string) error {
	work, err := os.MkdirTemp(filepath.Dir(home), "dynamodb-local-new-")
	if err != nil {
		return fmt.Errorf("making a directory to install DynamoDB Local in: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // gone already if it was moved
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := npmFiles.ReadFile("npm/" + name)
		if err != nil {
			return fmt.Errorf("reading the pinned version of DynamoDB Local: %w", err)
		}
		if err := os.WriteFile(filepath.Join(work, name), content, 0o600); err != nil {
			return fmt.Errorf("writing the pinned version of DynamoDB Local: %w", err)
		}
	}
	output := &tail{}
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = work
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = stopTimeout
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("installing DynamoDB Local with \"npm ci\" failed, is npm's registry reachable? %w: %s", err, output)
	}
	if engine := filepath.Join(work, "node_modules", "amplify-dynamodb-simulator", "emulator"); !isInstalled(engine) {
		return errors.New("installing DynamoDB Local with \"npm ci\" left no DynamoDBLocal.jar: the npm package has changed its layout")
	}
	// A leftover without the jar would be in the way.
	if err := os.RemoveAll(home); err != nil {
		return fmt.Errorf("removing a broken installation of DynamoDB Local: %w", err)
	}
	if err := os.Rename(work, home); err != nil {
		return fmt.Errorf("moving DynamoDB Local into place: %w", err)
	}
	return nil
}
