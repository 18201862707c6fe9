// Package sim runs the whole of Blox on virtual time, from one seed, and checks the invariants of the design after every
// step.
//
// The product is the product: the handlers of functions/ingest, functions/reconcile, functions/scheduler and
// functions/api, wired to the DynamoDB engine in memory, to queues in memory and, through the real SDK client, to the ECS
// simulator. What is simulated is the world around them.
//
//   - Every invocation of a handler is a coroutine (iter.Pull). It stops before each call to DynamoDB, ECS or a queue, and
//     goes on some virtual milliseconds later: a few as a rule, seconds for a slow one, more than a lease for one that was
//     paused. So two drivers, ingests or dispatchers overlap at every call that they make.
//   - There is one event loop, one thing happens at a time, and whatever could be one way or another is drawn from the
//     seed. Nothing reads a real clock. The same seed gives the same run, byte for byte: Result.Hash is of its trace.
//   - Faults strike calls (refused, lost after the work was done, made twice by a retrying client, the process dead right
//     after), invocations (paused past their lease), events (dropped, doubled, late, out of order, a bus that is down),
//     queues (duplicates), indexes (lag), hosts (agents away, registered anew, gone), images and operators.
//   - After some virtual minutes the faults stop and the operators go home. Then everything has to come to rest.
//   - Some seeds have more (features.go): readers who list and watch through package watch, lists and reads while others
//     write, a second account and region with a cluster of the same name, dispatchers that die between the two writes of
//     the feed, an ECS that answers nothing about a cluster, and days that pass after the rest, in which positions, shown
//     tombstones and then their items expire.
//
// What the run must keep is in check.go, mirror.go, blind.go, reader.go and query.go (after every step) and in rest.go,
// stored.go, feed.go and reader_end.go (at rest); what it must have met, for a simulation that reaches nothing proves
// nothing, is counted in Result.Met.
package sim
