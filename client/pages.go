package client

import (
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// PageOptions choose a page of a list.
type PageOptions struct {
	Limit     int    // 0 is the API's own
	NextToken string // empty for the first page
	// Sort is the order of tasks (createdAt, startedAt or stoppedAt) or container instances (registeredAt), with a hyphen
	// before it the latest first. Other lists have none.
	Sort string
	// Fields are the names of the fields that tasks or container instances are to have, in the API's spelling; their ARN
	// always comes along. None is all.
	Fields []string
}

// ListOption is how a list of tasks or container instances is read.
type ListOption func(*PageOptions)

// SortBy orders a list, as PageOptions.Sort does.
func SortBy(order string) ListOption { return func(o *PageOptions) { o.Sort = order } }

// WithFields reads some fields only, as PageOptions.Fields does.
func WithFields(names ...string) ListOption { return func(o *PageOptions) { o.Fields = names } }

// PageSize is how many items are read at once.
func PageSize(limit int) ListOption { return func(o *PageOptions) { o.Limit = limit } }

func optionsOf(options []ListOption) PageOptions {
	var chosen PageOptions
	for _, option := range options {
		option(&chosen)
	}
	return chosen
}

// query adds a page's options to its filters.
func query(options PageOptions, filters url.Values) url.Values {
	values := url.Values{}
	for name, given := range filters {
		values[name] = given
	}
	limit := ""
	if options.Limit > 0 {
		limit = strconv.Itoa(options.Limit)
	}
	return set(values, map[string]string{
		"limit": limit, "nextToken": options.NextToken, "sort": options.Sort, "fields": strings.Join(options.Fields, ","),
	})
}

// maxPages bounds a list that never ends.
const maxPages = 100_000

// pages walks a list that comes in pages.
func pages[T any](read func(token string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		token := ""
		for range maxPages {
			items, next, err := read(token)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
		yield(none, fmt.Errorf("the list has more than %d pages", maxPages))
	}
}

// identity is what a thing is by, and which version of it this is.
type identity[T any] func(T) (arn string, metadata Metadata)

// newerThan says whether what this is of was seen later than what before is of. An end that nobody reported has the
// version of what was reported last.
func (m Metadata) newerThan(before Metadata) bool {
	if m.Version != before.Version {
		return m.Version > before.Version
	}
	return m.StoredAt.After(before.StoredAt) || m.Inferred && !before.Inferred
}

// onlyNews leaves out what came before and was not older then: what moves on in its life while pages are read may be on
// two of them.
func onlyNews[T any](items iter.Seq2[T, error], id identity[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := map[string]Metadata{}
		for item, err := range items {
			if err == nil {
				arn, metadata := id(item)
				if before, ok := seen[arn]; ok && arn != "" && !metadata.newerThan(before) {
					continue
				}
				seen[arn] = metadata
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// newest is each thing once, as it was seen last, where it came first.
func newest[T any](items iter.Seq2[T, error], id identity[T]) ([]T, error) {
	var all []T
	at := map[string]int{}
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		arn, _ := id(item)
		if i, ok := at[arn]; ok && arn != "" {
			all[i] = item
			continue
		}
		at[arn] = len(all)
		all = append(all, item)
	}
	return all, nil
}
