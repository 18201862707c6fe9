// Package memory is a DynamoDB engine in memory: a twin of the service for
// tests, simulations and the local mode.
//
// [New] makes an empty [DB], which has the calls of the SDK's client
// ([dynamo.API]) and answers with the SDK's types and errors, in DynamoDB's
// words. Package conformance holds it to what DynamoDB Local, AWS's own
// engine, does.
//
// What it adds to the service is what tests need: it is deterministic, its
// clock is injected, it counts the units each call would consume
// ([DB.Consumed]), it hands out change records in the shape of DynamoDB
// Streams ([WithStream]), its indexes and its reads that are not consistent can
// lag ([WithIndexLag], [WithReadLag]), and items expire when told
// ([DB.ExpireItems]).
//
// Where DynamoDB Local is known to differ from the service (wording of some
// errors, type checks of sparse index keys, capacity of batches and
// transactions) the twin follows AWS's documentation.
//
// Not there, because Blox does not use it: Scan, PartiQL, TransactGetItems, the
// parameters that expressions replaced (AttributeUpdates, Expected and so on),
// item collection metrics and the 10 GB that a collection with local indexes may
// have, throttling, table updates.
package memory
