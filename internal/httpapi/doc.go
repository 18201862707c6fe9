// Package httpapi is the Blox API: queries over the stored cluster state, and the verbs of environments and deployments.
//
// Paths and success bodies are those of Blox v0.3.0, so that its clients keep working; fields were added and none was
// taken away. Errors are problem documents (RFC 9457) in every case, unknown paths and crashes included. The OpenAPI
// document is made from the same declarations that check the requests.
//
// A handler reads, decides and writes with a condition, so that any number of copies may run at once. What a copy keeps
// between two requests is only what may be a moment old: which clusters there are, and a position in the feed.
package httpapi
