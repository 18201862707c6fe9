//go:build !unix

package local

import "context"

// lock does nothing where there is no flock: installations move into place in
// one step, so that two at once waste a download and break nothing.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }
