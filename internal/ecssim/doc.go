// Package ecssim is Amazon ECS in one process: clusters, task definitions, container instances, tasks and services with
// their lives, their EventBridge events and their faults.
//
// The core, Simulator, is a state machine. It has no clock, no goroutine and no randomness of its own: every method takes
// the time, and a seed decides ids and delays, so the same seed and the same calls at the same times give the same bytes.
// Two shells surround it. Server runs it in real time behind HTTP, for any AWS SDK or CLI. Transport hands it to an SDK
// client as an http.RoundTripper, without sockets, for simulations on virtual time.
//
// It speaks the JSON 1.1 protocol of ECS (X-Amz-Target: AmazonEC2ContainerServiceV20141113.*). What it cannot do, it
// refuses with an ECS error that says so: Fargate, capacity providers, load balancers, task sets.
package ecssim
