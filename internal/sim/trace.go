package sim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// tracer keeps the hash of all lines of a run, and the lines themselves if they are wanted.
type tracer struct {
	hash  uint64
	keep  int // how many of the last lines to keep
	lines []string
	sink  func(string)
	buf   []byte
}

// trace adds a line: when, who, what, and what came of it.
func (w *world) trace(inv *invocation, what, outcome string) {
	b := w.tracer.buf[:0]
	b = w.now.AppendFormat(b, "15:04:05.000000 ")
	if inv == nil {
		b = append(b, "world"...)
	} else {
		b = append(b, inv.name...)
		b = fmt.Appendf(b, "#%d", inv.id)
	}
	b = append(b, ' ')
	b = append(b, what...)
	if outcome != "" {
		b = append(b, " -> "...)
		b = append(b, outcome...)
	}
	w.tracer.buf = b
	w.tracer.add(b)
}

func (t *tracer) add(line []byte) {
	h := fnv.New64a()
	_, _ = h.Write(line) // a hash never fails to write
	t.hash = t.hash*1099511628211 ^ h.Sum64()
	if t.sink != nil {
		t.sink(string(line))
	}
	if t.keep == 0 {
		return
	}
	t.lines = append(t.lines, string(line))
	if len(t.lines) > 2*t.keep {
		t.lines = slices.Clone(t.lines[len(t.lines)-t.keep:])
	}
}

// note is a line about the world itself.
func (w *world) note(format string, args ...any) { w.trace(nil, fmt.Sprintf(format, args...), "") }

// tail is the end of the timeline.
func (t *tracer) tail() string {
	return strings.Join(t.lines[max(0, len(t.lines)-t.keep):], "\n")
}

// epoch is when every run begins.
var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
