package runtimeapi

import "sync"

// keptLines is how much of a function's log is kept for people who look for what went wrong.
const keptLines = 200

type logs struct {
	mu     sync.Mutex
	lines  []string
	onLine func(string)
}

func newLogs(onLine func(string)) *logs { return &logs{onLine: onLine} }

func (l *logs) add(line string) {
	l.mu.Lock()
	if len(l.lines) == keptLines {
		l.lines = l.lines[1:]
	}
	l.lines = append(l.lines, line)
	l.mu.Unlock()
	if l.onLine != nil {
		l.onLine(line)
	}
}

func (l *logs) tail() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}
