package expr

import "sync"

// maxCached bounds each cache below. Programs have a fixed set of expressions;
// one that builds them out of data must not fill the memory.
const maxCached = 2048

// cache remembers what expressions mean by their text.
type cache[T any] struct {
	mu      sync.Mutex
	entries map[string]T
}

func (c *cache[T]) get(text string, parse func() (T, error)) (T, error) {
	c.mu.Lock()
	out, ok := c.entries[text]
	c.mu.Unlock()
	if ok {
		return out, nil
	}
	out, err := parse()
	if err != nil {
		return out, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCached {
		c.entries = map[string]T{}
	}
	c.entries[text] = out
	return out, nil
}

var (
	conditions    cache[*Condition]
	filters       cache[*Condition]
	keyConditions cache[*KeyCondition]
	updates       cache[*Update]
	projections   cache[*Projection]
)

// ParseCondition reads a ConditionExpression.
func ParseCondition(text string) (*Condition, error) {
	return conditions.get(text, func() (*Condition, error) { return parseCondition(KindCondition, text) })
}

// ParseFilter reads a FilterExpression.
func ParseFilter(text string) (*Condition, error) {
	return filters.get(text, func() (*Condition, error) { return parseCondition(KindFilter, text) })
}

// ParseKeyCondition reads a KeyConditionExpression.
func ParseKeyCondition(text string) (*KeyCondition, error) {
	return keyConditions.get(text, func() (*KeyCondition, error) {
		parsed, err := parseCondition(KindKeyCondition, text)
		if err != nil {
			return nil, err
		}
		return newKeyCondition(parsed)
	})
}

// ParseUpdate reads an UpdateExpression.
func ParseUpdate(text string) (*Update, error) {
	return updates.get(text, func() (*Update, error) {
		p, err := newParser(KindUpdate, text)
		if err != nil {
			return nil, err
		}
		return p.update()
	})
}

// ParseProjection reads a ProjectionExpression.
func ParseProjection(text string) (*Projection, error) {
	return projections.get(text, func() (*Projection, error) {
		p, err := newParser(KindProjection, text)
		if err != nil {
			return nil, err
		}
		return p.projection()
	})
}

func parseCondition(kind Kind, text string) (*Condition, error) {
	p, err := newParser(kind, text)
	if err != nil {
		return nil, err
	}
	root, err := p.condition()
	if err != nil {
		return nil, err
	}
	return &Condition{kind: kind, root: root, used: p.used, paths: p.paths}, nil
}
