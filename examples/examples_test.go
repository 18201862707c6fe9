// Package examples holds no code of its own: each folder is a program to copy.
package examples

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sources are the examples' files without their tests, by folder, and their lines, comments included.
func sources(t *testing.T) (files, lines map[string]int) {
	t.Helper()
	paths, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	files, lines = map[string]int{}, map[string]int{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		files[path] = len(text)
		lines[filepath.Dir(path)] += strings.Count(string(text), "\n")
	}
	return files, lines
}

// Who copies an example has none of Blox's internal packages. Tests may use them, and stay behind.
func TestExamplesImportOnlyWhatOthersCan(t *testing.T) {
	files, _ := sources(t)
	require.NotEmpty(t, files)
	for path := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if own, ok := strings.CutPrefix(imported, "github.com/blox/blox/"); ok {
				require.Contains(t, []string{"client", "stream"}, own, path)
			}
		}
	}
}

func TestExamplesAreShortAndExplained(t *testing.T) {
	_, lines := sources(t)
	limits := map[string]int{"crashloop": 200, "zonescheduler": 150}
	require.Len(t, lines, len(limits))
	for example, limit := range limits {
		require.Less(t, lines[example], limit, example)
		require.FileExists(t, filepath.Join(example, "README.md"))
	}
}
