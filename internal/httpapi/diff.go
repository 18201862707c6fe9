package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/blox/blox/client"
)

// diff says in what two things differ as the API shows them, field by field: objects are gone into, lists are not, for what
// moves in a list has no name.
func diff[T any](from, to T) ([]client.RevisionChange, error) {
	before, err := flat(from)
	if err != nil {
		return nil, err
	}
	after, err := flat(to)
	if err != nil {
		return nil, err
	}
	changes := []client.RevisionChange{}
	paths := slices.Sorted(maps.Keys(before))
	for path := range after {
		if _, both := before[path]; !both {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		if !reflect.DeepEqual(before[path], after[path]) {
			changes = append(changes, client.RevisionChange{Path: path, From: before[path], To: after[path]})
		}
	}
	return changes, nil
}

// flat are the fields of a thing's JSON by their paths.
func flat(v any) (map[string]any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a revision: %w", err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("decoding a revision: %w", err)
	}
	fields := map[string]any{}
	flatten(fields, "", tree)
	return fields, nil
}

func flatten(fields map[string]any, prefix string, tree map[string]any) {
	for name, value := range tree {
		if inner, ok := value.(map[string]any); ok {
			flatten(fields, prefix+name+".", inner)
		} else {
			fields[prefix+name] = value
		}
	}
}
