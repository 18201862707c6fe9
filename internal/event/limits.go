package event

import (
	"bytes"
	"fmt"
)

const (
	// maxDepth is how deep objects and lists may lie in each other. Events of ECS
	// have seven levels. What is nested as deep as encoding/json reads, 10,000
	// levels, would be stored and then fail every answer that wraps it once more.
	maxDepth = 200

	// Fields that become parts of keys have limits of their own, as keys have in
	// DynamoDB: 2,048 bytes to a partition key and 1,024 to a sort key. ECS keeps
	// far below them; it takes 128 characters as startedBy.
	maxStatusBytes        = 128
	maxEC2InstanceIDBytes = 128
	maxStartedByBytes     = 512
	maxGroupBytes         = 1024
)

// checkDepth refuses what is nested too deeply. raw is valid JSON.
func checkDepth(raw []byte) error {
	// Counting is quick, and without that many objects and lists there is no such
	// depth.
	if bytes.Count(raw, []byte("{"))+bytes.Count(raw, []byte("[")) <= maxDepth {
		return nil
	}
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return invalid(ReasonTooDeep, fmt.Sprintf(
					"nested more than %d levels deep, allowed are at most %d", maxDepth, maxDepth))
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// keyPart is a field whose value becomes a part of a key.
type keyPart struct {
	field, value string
	maxBytes     int
}

func checkKeyParts(parts ...keyPart) error {
	for _, part := range parts {
		if len(part.value) > part.maxBytes {
			return invalid(ReasonTooLong+part.field,
				fmt.Sprintf("%s: %d bytes, allowed are at most %d", part.field, len(part.value), part.maxBytes))
		}
	}
	return nil
}
