package expr

import "slices"

// node is one step in a tree of document paths. Updates and projections gather
// their paths in one, which shows paths that get in each other's way and lets
// the document be walked once.
type node struct {
	step     step
	path     path // the whole path, where one ends here
	change   change
	children []*node
}

// add puts a path into the tree below n and returns its end. Paths may not
// contain each other, and one place cannot be a list and a map.
func (n *node) add(kind Kind, p path) (*node, error) {
	at := n
	for i, s := range p {
		if at.path != nil {
			return nil, overlap(kind, at.path, p)
		}
		// The top level is always a map, so only deeper steps can conflict.
		if i > 0 && len(at.children) > 0 && at.children[0].step.isIndex != s.isIndex {
			return nil, kind.invalid("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s",
				at.children[0].anyPath(), p)
		}
		at = at.child(s)
	}
	if at.path != nil || len(at.children) > 0 {
		return nil, overlap(kind, at.anyPath(), p)
	}
	at.path = p
	return at, nil
}

func overlap(kind Kind, one, two path) error {
	return kind.invalid("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", one, two)
}

// anyPath returns a path that ends at or below n.
func (n *node) anyPath() path {
	for n.path == nil {
		n = n.children[0]
	}
	return n.path
}

// child returns the child for s, a new one if there is none. Indexes are kept
// in ascending order: lists are changed and read in that order.
func (n *node) child(s step) *node {
	for _, c := range n.children {
		if c.step == s {
			return c
		}
	}
	c := &node{step: s}
	at := len(n.children)
	if s.isIndex {
		at, _ = slices.BinarySearchFunc(n.children, s.index, func(c *node, index int) int { return c.step.index - index })
	}
	n.children = slices.Insert(n.children, at, c)
	return c
}
