// Package doctor checks an installation of Blox from outside, as an operator can see it: credentials, the stack, the API,
// how fresh its state is, what was set aside, what alarms, and whether a task's life reaches the state.
//
// Each check is a function over a narrow interface and gives results: what was seen, and what to do about it. Clock, pauses
// and ids come from outside. Nothing is changed but by the canary, which runs one task and stops it again.
package doctor
