package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// envelope is what EventBridge wraps around the detail. Its own "version" is
// "0" on every event and says nothing about the resource.
type envelope struct {
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       *time.Time      `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

const source = "aws.ecs"

func parseEnvelope(raw []byte) (envelope, error) {
	var env envelope
	if len(raw) > MaxBytes {
		return env, invalid(ReasonTooLarge, fmt.Sprintf("%d bytes, allowed are at most %d", len(raw), MaxBytes))
	}
	// encoding/json lets invalid UTF-8 pass into the raw detail, from where it
	// would reach readers that refuse it.
	if !utf8.Valid(raw) {
		return env, invalid(ReasonNotJSON, "not valid UTF-8")
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return env, invalid(ReasonNotJSON, "not a JSON object")
	}
	if err := decode(raw, &env); err != nil {
		return env, err
	}
	if err := checkDepth(raw); err != nil {
		return env, err
	}
	if env.Source != "" && env.Source != source {
		return env, invalid(ReasonUnknownSource, fmt.Sprintf("source %q, allowed is %q", shorten(env.Source), source))
	}
	return env, nil
}
