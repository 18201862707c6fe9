// Package event reads the events that Amazon ECS sends through EventBridge.
//
// Parse turns one event into an observation of a task or container instance, a
// hint that something should be described, or nothing. It validates all that
// Blox later relies on, so that whatever is stored can be decoded again, and it
// keeps the complete detail: AWS adds fields without notice and asks consumers
// to bear it.
package event
