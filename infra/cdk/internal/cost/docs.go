package cost

import (
	"errors"
	"strings"
)

// The lines of a document between which the tables stand.
const (
	begin = "<!-- costs: written by `go run ./cmd/cost` in infra/cdk -->\n"
	end   = "<!-- costs: end -->\n"
)

// Insert puts the tables into a document, in place of those that are there.
func Insert(document, tables string) (string, error) {
	before, rest, found := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", errors.New("the document has no place for the tables: the lines " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	return before + begin + "\n" + tables + "\n" + end + after, nil
}
