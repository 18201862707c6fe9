package table

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/blox/blox/internal/state"
)

// What lists can be sorted by: tasks by the first three, container instances by the last.
const (
	SortByCreatedAt    = "createdAt"
	SortByStartedAt    = "startedAt"
	SortByStoppedAt    = "stoppedAt"
	SortByRegisteredAt = "registeredAt"
)

// Sort is the order of a list. Whatever has no such time comes last, in both directions. The zero Sort is no order in
// particular, the one that costs least.
type Sort struct {
	By         string
	Descending bool
}

// ErrTooManyToSort says that no index has the order that was asked for, and that too many records would have to be read
// to make it.
var ErrTooManyToSort = errors.New("too many records to sort")

func sortsOf(kind state.Kind) []string {
	if kind == state.KindContainerInstance {
		return []string{SortByRegisteredAt}
	}
	return []string{SortByCreatedAt, SortByStartedAt, SortByStoppedAt}
}

func (s Sort) check(kind state.Kind) error {
	if s.By != "" && !slices.Contains(sortsOf(kind), s.By) {
		return fmt.Errorf("sorting %ss by %q: allowed are %s", kind, s.By, strings.Join(sortsOf(kind), ", "))
	}
	return nil
}

// The stages of a sorted list: first what has the time, in its order, then what has not.
const (
	stageTimed   = 0
	stageUntimed = 1
)

// compare orders the places of what has the time. Clusters and ids make it an order of everything, so that each place
// is before or after a position.
func (s Sort) compare(a, b Position) int {
	c := cmp.Or(cmp.Compare(a.At, b.At), a.Cluster.Compare(b.Cluster), cmp.Compare(a.ID, b.ID))
	if s.Descending {
		return -c
	}
	return c
}

// comparePlaces orders all places of a list that is sorted in memory.
func (s Sort) comparePlaces(a, b Position) int {
	if a.Stage != b.Stage || a.Stage == stageUntimed {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), a.Cluster.Compare(b.Cluster), cmp.Compare(a.ID, b.ID))
	}
	return s.compare(a, b)
}

// place is where a record stands in a list that is sorted in memory.
func (s Sort) place(r state.Record) Position {
	at := timeOf(r, s.By)
	if at == 0 {
		return Position{Cluster: r.Cluster, Stage: stageUntimed, ID: r.ID}
	}
	return Position{Cluster: r.Cluster, Stage: stageTimed, At: at, ID: r.ID}
}
