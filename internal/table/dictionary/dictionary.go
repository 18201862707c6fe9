// Package dictionary holds what the details of tasks and container instances have in common, for zstd.
//
// A detail is 1.5 to 3 KB of JSON, most of which is names and beginnings of ARNs that every detail has. Alone it does
// not compress to less than a third; with a dictionary, what remains is little more than its ids and times. DynamoDB
// charges a write by the kilobyte, so that this halves what an event costs.
//
// A dictionary in use never changes: what was written with it cannot be read with another one. A better one is added
// under a new id; the old ones stay for as long as a table may hold records that name them. It takes two releases: the
// first has the new one in All, so that every function can read it, and only the next makes it Current. During an update
// old functions run beside new ones, and could not read what those write.
package dictionary

import _ "embed" // of the dictionaries

//go:generate go run ./generate generate/samples.jsonl 32768 details-32768.zdict

// Current is the id of the dictionary to write with. zstd writes it into each frame. Ids below 32768 are zstd's own.
const Current = 32768

//go:embed details-32768.zdict
var details32768 []byte

// Dictionary is a dictionary of zstd's format, with its id in it.
type Dictionary struct {
	ID    uint32
	Bytes []byte
}

// All are the dictionaries to read with. Their bytes are not to be changed.
func All() []Dictionary { return []Dictionary{{ID: Current, Bytes: details32768}} }
