// Command cost works out from a synthesized template what an installation of Blox costs, and prints it as Markdown:
//
//	go run ./cmd/cost -template cdk.out/Blox-blox.template.json
//
// With -docs it writes the tables into a document, between the lines that mark their place.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/blox/blox/infra/cdk/internal/cost"
)

func main() {
	template := flag.String("template", "cdk.out/Blox-blox.template.json", "synthesized template of an installation")
	docs := flag.String("docs", "", "document to write the tables into, instead of printing them")
	flag.Parse()
	if err := run(*template, *docs, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(template, docs string, out io.Writer) error {
	file, err := os.Open(template) //nolint:gosec // the caller's own file
	if err != nil {
		return fmt.Errorf("opening the template (make synth writes it): %w", err)
	}
	defer func() { _ = file.Close() }()
	parsed, err := cost.Parse(file)
	if err != nil {
		return err
	}
	tables, err := parsed.Markdown()
	if err != nil {
		return err
	}
	if docs == "" {
		_, err = io.WriteString(out, tables)
		return err
	}
	document, err := os.ReadFile(docs) //nolint:gosec // the caller's own file
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	written, err := cost.Insert(string(document), tables)
	if err != nil {
		return fmt.Errorf("%s: %w", docs, err)
	}
	return os.WriteFile(docs, []byte(written), 0o644) //nolint:gosec // a document for everybody
}
