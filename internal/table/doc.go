// Package table keeps Blox's two DynamoDB tables: STATE (type State) and DAEMON (type Daemon).
//
// Every write that could undo another one carries a condition, so that any number of functions may run at once, be
// killed anywhere and be retried. What the items look like is in the files that write them; package schema defines the
// tables themselves.
package table
