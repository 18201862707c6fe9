package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// maxManifestBytes is as much as the API takes, maxManifests how many environments one file may hold.
const (
	maxManifestBytes = 256 << 10
	maxManifests     = 100
)

func readManifests(cmd *cobra.Command, file string) ([]manifest, error) {
	in, named := cmd.InOrStdin(), file
	if file == "-" {
		named = "standard input"
	} else {
		opened, err := os.Open(file) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, usage(cmd, "cannot read the file: %s", err)
		}
		defer opened.Close() //nolint:errcheck // it was only read
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, maxManifestBytes+1))
	if err != nil {
		return nil, usage(cmd, "cannot read %s: %s", named, err)
	}
	if len(text) > maxManifestBytes {
		return nil, usage(cmd, "%s is too large: allowed are %d bytes", named, maxManifestBytes)
	}
	manifests, err := parseManifests(text)
	if err != nil {
		return nil, usage(cmd, "%s: %s", named, err)
	}
	return manifests, nil
}

// parseManifests reads all documents of a file, and refuses fields that it does not know: a misspelled one would
// otherwise leave its default in force unnoticed.
func parseManifests(text []byte) ([]manifest, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	var manifests []manifest
	for range maxManifests + 1 {
		var m manifest
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			if len(manifests) == 0 {
				return nil, errors.New("there is no environment in it")
			}
			return manifests, nil
		}
		if err != nil {
			return nil, inWords(err)
		}
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("environment %s: %w", strings.TrimSpace(fmt.Sprintf("%d %s", len(manifests)+1, m.Name)), err)
		}
		manifests = append(manifests, m)
	}
	return nil, fmt.Errorf("there are more than %d environments in it", maxManifests)
}
