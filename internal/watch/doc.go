// Package watch tells what happens to tasks or container instances: what there is now, and then every change, from a
// position that the reader may give back later to go on there.
//
// It merges two readings of the STATE table. The position in the feed is read first, then the records, consistently:
// a change that was committed before its record was read is in the record, and one committed later is appended to the
// feed after the position. Changes may therefore be told twice, and none is missed. The feed says only that a record
// changed, so what is told is the record as it is when the change is read: in between versions may be left out, and the
// last one never is.
//
// A stream is told line by line as things happen; a poll is the same in single answers, for readers that cannot stream.
//
// A reader has a filter, and what leaves the filter is told as well as what ends: otherwise a reader would keep it for
// ever. See memory for how that is decided without knowing what the reader holds.
package watch
