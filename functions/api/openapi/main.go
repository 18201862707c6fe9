// Command openapi writes the API's OpenAPI document, made from the code, to standard output: in OpenAPI 3.1, or with
// -3.0 in the older version that API Gateway knows.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/blox/blox/internal/httpapi"
)

func main() {
	older := flag.Bool("3.0", false, "write OpenAPI 3.0 instead of 3.1")
	flag.Parse()
	write := httpapi.OpenAPI
	if *older {
		write = httpapi.OpenAPI30
	}
	document, err := write(httpapi.DocumentVersion)
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "openapi: %v\n", err)
		os.Exit(1)
	}
}
