// Command openapi writes the API's OpenAPI document, made from the code, to standard output.
package main

import (
	"fmt"
	"os"

	"github.com/blox/blox/internal/httpapi"
)

func main() {
	document, err := httpapi.OpenAPI(httpapi.DocumentVersion)
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "openapi: %v\n", err)
		os.Exit(1)
	}
}
