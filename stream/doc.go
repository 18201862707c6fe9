// Package stream reads the changes of tasks and container instances from the DynamoDB stream of Blox's STATE table.
//
// DynamoDB serves two readers of a stream. Blox is one; the other is free for whoever wants to act on changes: alert,
// schedule, count, copy. A Lambda function becomes that reader by an event source mapping on the stream (the stack's
// output StateStreamArn) and a handler made by Each or Batches:
//
//	lambda.Start(stream.Each(logger, func(ctx context.Context, change stream.Change) error { … }))
//
// A program that reads the stream by the Streams API itself decodes records with DecodeSDK.
//
// # What is promised
//
//   - At least once. The stream and Lambda deliver a record again after a failure, and a failed batch from the record
//     that failed. A handler keys on what it does: Kind, Cluster, ID and New.Version name a change of ECS;
//     SequenceNumber names a write.
//   - In order for each thing. All records of one task or container instance are in one shard, in the order of the
//     writes. Between two things there is no order: a task may be told before the container instance that it runs on.
//   - Versions never go back. Blox stores only what is newer by ECS's own counter, so New.Version >= Old.Version. They
//     are equal when something changed that ECS does not count (tags, attributes), and when a thing that ECS has
//     forgotten is marked as gone. Versions may be left out: ECS's events are not complete, and only the newest of a
//     batch is stored.
//   - Whole before and after. Old and New hold everything that is known: what events and Describe calls told, merged.
//     So the table must stream NEW_AND_OLD_IMAGES, as Blox's does; another view type is an error and not a wrong
//     change.
//   - An end is told once, as a change for which Ended is true, except that an end which Blox inferred may turn out to
//     be wrong: then a change with Revived follows, and later another end.
//   - A deletion is no end. A record that has ended is kept for 30 days or as long as it can be queried, whichever is
//     longer, and is then deleted by DynamoDB's TTL: a change of Reason Expired with New == nil, some hours or days
//     late. New == nil with another reason is a deletion by hand. Consumers that act on ends ignore both.
//   - What is in the stream for a day and was not read is gone. After a longer standstill, list what there is (package
//     client) and go on: the stream is no history.
//   - Rows that are neither tasks nor container instances (the feed, clusters, checkpoints) are skipped; a filter on
//     the event source mapping saves their invocations, see docs/table.md.
//
// # Versions of the table
//
// Each item says by which schema it was written. A reader knows its own schema and the ones before it; a later one is
// an ErrSchema, and the record blocks its shard until the reader is built with a newer version of this module: update
// readers before Blox. Details are compressed with a dictionary whose id is in the compressed data; all dictionaries
// that ever were are in this module, so that old items stay readable.
package stream
