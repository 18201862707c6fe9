package clusterquery

// Subject is what one comparison of an expression asks about, and where that stands; see SyntaxError.
type Subject struct {
	Name         string
	Line, Column int
}

// Subjects are those of all comparisons, in their order. An expression that stands for a lasting choice of hosts, as a
// daemon's, may not ask about everything that the language can.
func (e *Expression) Subjects() []Subject { return e.root.subjects(nil) }

func (d *disjunction) subjects(found []Subject) []Subject {
	for _, term := range d.Terms {
		for _, f := range term.Factors {
			found = f.subjects(found)
		}
	}
	return found
}

func (f *factor) subjects(found []Subject) []Subject {
	switch {
	case f.Negated != nil:
		return f.Negated.subjects(found)
	case f.Group != nil:
		return f.Group.subjects(found)
	}
	at := f.Comparison.Pos
	return append(found, Subject{Name: f.Comparison.Subject, Line: at.Line, Column: at.Column})
}
