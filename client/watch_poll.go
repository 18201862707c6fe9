package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// readPoll reads the answer to a poll: as if it were a part of a stream, with a heartbeat at its end that tells the
// position.
func (w *watching[E]) readPoll(body io.Reader, silence *time.Timer) error {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswerBytes+1))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if len(text) > maxAnswerBytes {
		return fmt.Errorf("the answer has more than %d bytes", maxAnswerBytes)
	}
	silence.Stop()
	var answer struct {
		Items []E `json:"items"`
		PollEnd
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("decoding the answer: %w", err)
	}
	if (answer.EntityVersion == "") == (answer.NextToken == "") {
		return errors.New("decoding the answer: it does not say where to go on")
	}
	if w.tokens++; answer.NextToken == "" {
		w.tokens, w.dropped = 0, false
	} else if w.tokens > maxPages {
		return fmt.Errorf("what is polled has more than %d pages", maxPages)
	}
	told := false
	for _, event := range answer.Items {
		told = told || w.common(&event).Type == WatchBookmark
		switch ended, err := w.take(event); {
		case err != nil:
			return err
		case ended:
			return errors.New("decoding the answer: an END, which only streams have")
		}
	}
	w.progress, w.heard = true, true
	w.token = answer.NextToken
	if answer.EntityVersion == "" {
		return nil
	}
	w.position = answer.EntityVersion
	if told {
		return nil // a bookmark tells the position too
	}
	var event E
	*w.common(&event) = WatchEvent{Type: WatchHeartbeat, EntityVersion: answer.EntityVersion}
	if !w.yield(event, nil) {
		return errStopped
	}
	return nil
}
