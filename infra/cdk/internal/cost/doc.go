// Package cost works out what an installation costs from its synthesized template: what an idle month costs, what a
// million events cost, and what grows with use. Whatever the template says (memory, alarms, schedules, tracing, members,
// a customer's key) is taken from there; prices and measured counts stand in one table each.
//
// The tables in docs/deploy.md are this package's output, and a test compares them, so that a new alarm or a larger
// function cannot make them wrong unseen.
package cost
