// Package daemon is the pure core of the daemon scheduler: exactly one task per host.
//
// Plan takes a Snapshot and a time and returns Actions. It reads no clock, draws no random number, calls nothing and
// walks everything in sorted order, so the same snapshot gives the same actions in the scheduler and in the
// simulation.
//
// The words: an Environment is a named daemon on one or several clusters. What it runs is an immutable Revision. A
// Deployment brings one revision to every host. A Slot is what the scheduler remembers of one host: which task it
// started or is about to start there, and the request it did it with.
//
// The safety of the whole scheduler rests on three rules, which every branch below keeps:
//
//   - Intent before action. A slot says what will be asked of ECS before ECS is asked; the request is kept whole, with
//     its clientToken, and replayed byte for byte until its outcome is known. ECS answers a replay with the same task.
//   - An attempt is spent only when its task is proven dead: seen STOPPED, or not found by ECS itself.
//   - Only a healthy daemon is worth protecting and only a stop can hurt it, so stops alone pay from the budget, and
//     what is unavailable is counted from slots, which are read consistently, never from task records, which lag.
package daemon
