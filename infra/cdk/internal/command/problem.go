package command

// Problem is a failure whose text is the sentence that is shown to people: what is wrong, and what to do.
type Problem string

func (p Problem) Error() string { return string(p) }
