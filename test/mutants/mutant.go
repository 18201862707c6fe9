package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant is one known fault: a piece of the product's text and what to put
// in its place.
type mutant struct {
	name string
	// file is relative to the module's root, with slashes.
	file string
	// old must occur in file exactly once. Anything else means that the product
	// has moved on and that the mutant would not test what its name says.
	old string
	// new must compile: a fault that the compiler finds proves nothing about
	// the simulation.
	new string
	// killedBy are the numbers of the invariants that may find it. Another one
	// finding it is not enough: it would hide that the one meant for it is blind.
	killedBy []int
}

// validate says what is missing in a table entry.
func (m mutant) validate() error {
	switch {
	case m.name == "":
		return fmt.Errorf("the mutant of file %q has no name", m.file)
	case m.file == "" || m.old == "":
		return fmt.Errorf("mutant %q names no file and no text to replace", m.name)
	case !filepath.IsLocal(filepath.FromSlash(m.file)):
		return fmt.Errorf("mutant %q: file %q must be a path below the module's root", m.name, m.file)
	case m.old == m.new:
		return fmt.Errorf("mutant %q changes nothing: old and new text are the same", m.name)
	case len(m.killedBy) == 0:
		return fmt.Errorf("mutant %q names no invariant that may kill it", m.name)
	}
	return nil
}

// validateAll checks every entry, and that each name stands for one mutant.
func validateAll(table []mutant) error {
	var names []string
	for _, m := range table {
		if err := m.validate(); err != nil {
			return err
		}
		if slices.Contains(names, m.name) {
			return fmt.Errorf("two mutants are named %q", m.name)
		}
		names = append(names, m.name)
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no mutant to run")
	}
	return nil
}

// mutate returns the text of the mutant's file, below root, with the fault in it.
func (m mutant) mutate(root string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, fmt.Errorf("reading the file of mutant %q: %w", m.name, err)
	}
	if n := strings.Count(string(content), m.old); n != 1 {
		return nil, fmt.Errorf("mutant %q has rotted: its old text occurs %d times in %s, it must occur exactly once",
			m.name, n, m.file)
	}
	return []byte(strings.Replace(string(content), m.old, m.new, 1)), nil
}
