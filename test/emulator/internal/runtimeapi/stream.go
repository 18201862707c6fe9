package runtimeapi

import (
	"errors"
	"io"
	"sync"
)

// Stream is an answer that is being read while the function still writes it.
type Stream struct {
	// Streaming says that the function streams it; ContentType is the answer's.
	Streaming   bool
	ContentType string

	reader *io.PipeReader
	writer *io.PipeWriter
	once   sync.Once

	mu    sync.Mutex
	ended bool
	after func()
}

func newStream(streaming bool, contentType string) *Stream {
	s := &Stream{Streaming: streaming, ContentType: contentType}
	s.reader, s.writer = io.Pipe()
	return s
}

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) { return s.reader.Read(p) }

// Close gives the stream up. The function is not told of it: Lambda lets it run to its end as well, and reads what it
// writes into nothing.
func (s *Stream) Close() error { return s.reader.CloseWithError(io.ErrClosedPipe) }

func (s *Stream) copy(from io.Reader) error {
	_, err := io.Copy(s.writer, from)
	if errors.Is(err, io.ErrClosedPipe) {
		_, err = io.Copy(io.Discard, from)
	}
	return err
}

// fail ends the reading with an error.
func (s *Stream) fail(err error) { s.once.Do(func() { _ = s.writer.CloseWithError(err) }) }

// end is called when the function has posted all of it; err is nil if it is complete.
func (s *Stream) end(err error) {
	s.fail(err)
	s.mu.Lock()
	after := s.after
	s.ended = true
	s.mu.Unlock()
	if after != nil {
		after()
	}
}

// onEnd calls f once the function is free again, perhaps at once.
func (s *Stream) onEnd(f func()) {
	s.mu.Lock()
	ended := s.ended
	s.after = f
	s.mu.Unlock()
	if ended {
		f()
	}
}
