// Package conformance is what Blox expects of a DynamoDB, as tests: they run
// against the engine in memory and against DynamoDB Local and expect the same
// of both.
//
// A case may look at the essential part of an error's message only: DynamoDB
// Local words some messages differently from the service, and the engine in
// memory has the service's words. There is no case for what DynamoDB Local
// (1.25) is known to get wrong, or leaves out. The engine in memory follows
// AWS's documentation there, and its own tests pin it:
//
//   - Consumed units: none for failed conditions; none for a query that finds
//     nothing; too few for BatchGetItem, too many for batches and transactions
//     of writes; an index counted for an item that has only one of its two keys;
//     items fetched for a local index that holds all that is asked for; an
//     entry that is written to a local index as if it had 100 bytes more.
//   - The type of an index key is not checked while the item lacks the index's
//     other key.
//   - Faults of an update that show only with the item are a ValidationException
//     in a transaction, not a canceled transaction with a reason.
//   - Two actions of a transaction on one item are noticed after conditions have
//     failed.
//   - A page's 1 MB is counted after the filter.
//   - Indexes never lag.
//   - The reserved words CONVERT and SIZE are let through.
//   - Sums keep trailing zeros (1.0), so numbers are compared by value.
package conformance
