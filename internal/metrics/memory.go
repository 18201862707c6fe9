package metrics

import (
	"slices"
	"sync"
)

// Line is what one Put was given.
type Line struct {
	Values     []Value
	Properties []Property
}

// Memory is a Sink that keeps what it is given, for tests.
type Memory struct {
	mu    sync.Mutex
	lines []Line
}

var _ Sink = (*Memory)(nil)

// Put keeps a line.
func (m *Memory) Put(values []Value, properties ...Property) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, Line{slices.Clone(values), slices.Clone(properties)})
}

// Lines gives what was put, in order.
func (m *Memory) Lines() []Line {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lines)
}

// Of gives all values of one metric, in order.
func (m *Memory) Of(name Name) []int64 {
	var values []int64
	for _, line := range m.Lines() {
		for _, v := range line.Values {
			if v.Name == name {
				values = append(values, v.Value)
			}
		}
	}
	return values
}
