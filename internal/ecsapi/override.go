package ecsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TaskOverride reads ECS's taskOverride as its API takes it, in JSON. A field that ECS's API does not have is an error:
// it would be left out of the request without a word. Empty JSON is no override.
func TaskOverride(raw json.RawMessage) (*types.TaskOverride, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	// The SDK's types have the API's names but for the case of their first letters, which decoding ignores.
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var override *types.TaskOverride
	if err := decoder.Decode(&override); err != nil {
		return nil, fmt.Errorf("reading task overrides: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading task overrides: something follows the JSON object")
	}
	return override, nil
}
