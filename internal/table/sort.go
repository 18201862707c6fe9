package table

import "errors"

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
