package dlq

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Summary is what lies in a queue.
type Summary struct {
	Queue string `json:"queue"`
	Holds string `json:"holds"`
	URL   string `json:"url"`
	// Count is SQS's, and approximate.
	Count int `json:"count"`
	// Looked is how many messages Oldest and Reasons are of, at most MaxShown.
	Looked  int           `json:"looked"`
	Oldest  *time.Time    `json:"oldest,omitempty"`
	Reasons []ReasonCount `json:"reasons"`
}

// ReasonCount is how many messages have a reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Summarize counts a queue's messages and looks at some of them. An empty queue is not looked into.
func (o *Office) Summarize(ctx context.Context, q Queue) (Summary, error) {
	count, err := o.Count(ctx, q)
	if err != nil || count == 0 {
		return summarize(q, 0, nil), err
	}
	letters, err := o.Look(ctx, q, MaxShown)
	if err != nil {
		return Summary{}, err
	}
	return summarize(q, max(count, len(letters)), letters), nil
}

func summarize(q Queue, count int, letters []Letter) Summary {
	s := Summary{Queue: q.Name, Holds: q.Holds, URL: q.URL, Count: count, Looked: len(letters), Reasons: []ReasonCount{}}
	byReason := map[string]int{}
	for _, l := range letters {
		byReason[l.Reason]++
		if at := l.SentAt; !at.IsZero() && (s.Oldest == nil || at.Before(*s.Oldest)) {
			s.Oldest = &at
		}
	}
	for reason, n := range byReason {
		s.Reasons = append(s.Reasons, ReasonCount{reason, n})
	}
	slices.SortFunc(s.Reasons, func(a, b ReasonCount) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	return s
}
