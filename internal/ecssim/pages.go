package ecssim

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
)

// maxPage is the most any List answers at once, and the most names a Describe takes.
const maxPage = 100

type pageRequest struct {
	NextToken  string `json:"nextToken"`
	MaxResults *int   `json:"maxResults"`
}

func (p pageRequest) limit(byDefault int) (int, error) {
	if p.MaxResults == nil {
		return byDefault, nil
	}
	if *p.MaxResults < 1 || *p.MaxResults > maxPage {
		return 0, invalid("maxResults is %d, it must be between 1 and %d", *p.MaxResults, maxPage)
	}
	return *p.MaxResults, nil
}

// sequenced things are listed in the order they were created, so that a page token stays good while others come and go.
type sequenced interface{ order() uint64 }

// sequence holds things by creation.
type sequence[T sequenced] []T

func (q sequence[T]) search(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(q, seq, func(x T, seq uint64) int { return cmp.Compare(x.order(), seq) })
}

func (q *sequence[T]) insert(x T) {
	if i, found := q.search(x.order()); !found {
		*q = slices.Insert(*q, i, x)
	}
}

func (q *sequence[T]) remove(x T) {
	if i, found := q.search(x.order()); found {
		*q = slices.Delete(*q, i, i+1)
	}
}

// page cuts the next page out of a sequence: what keep accepts, after the token's place.
func page[T sequenced](f *Faults, items sequence[T], p pageRequest, keep func(T) bool) ([]T, string, error) {
	limit, err := p.limit(maxPage)
	if err != nil {
		return nil, "", err
	}
	start := 0
	if p.NextToken != "" {
		text, err := base64.RawURLEncoding.DecodeString(p.NextToken)
		if err != nil {
			return nil, "", invalid("Invalid token")
		}
		last, err := strconv.ParseUint(string(text), 36, 64)
		if err != nil {
			return nil, "", invalid("Invalid token")
		}
		start, _ = items.search(last + 1)
	}
	if f.takeEmptyList() {
		return nil, "", nil
	}
	var found []T
	for _, x := range items[start:] {
		if !keep(x) {
			continue
		}
		if len(found) == limit {
			last := strconv.FormatUint(found[limit-1].order(), 36)
			return found, base64.RawURLEncoding.EncodeToString([]byte(last)), nil
		}
		found = append(found, x)
	}
	return found, "", nil
}

// pageOfNames does the same for names, which compare orders.
func pageOfNames(f *Faults, names []string, p pageRequest, byDefault int, compare func(a, b string) int) ([]string, string, error) {
	limit, err := p.limit(byDefault)
	if err != nil {
		return nil, "", err
	}
	if p.NextToken != "" {
		last, err := base64.RawURLEncoding.DecodeString(p.NextToken)
		if err != nil {
			return nil, "", invalid("Invalid token")
		}
		start, found := slices.BinarySearchFunc(names, string(last), compare)
		if found {
			start++
		}
		names = names[start:]
	}
	if f.takeEmptyList() {
		return []string{}, "", nil
	}
	if len(names) > limit {
		return names[:limit], base64.RawURLEncoding.EncodeToString([]byte(names[limit-1])), nil
	}
	return append([]string{}, names...), "", nil // an answer has a list, also an empty one
}

// checkBatch enforces a Describe's or an Update's limits in ECS's words.
func checkBatch(what string, n, most int) error {
	switch {
	case n == 0:
		return invalid("%s cannot be empty.", what)
	case n > most:
		return invalid("%s can have at most %d items, %d were given.", what, most, n)
	}
	return nil
}

type failure struct {
	Arn    string `json:"arn,omitempty"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}
