package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
)

// Blox v0.3.0 spelled some fields of ECS in its own way. They keep that spelling, and everything else in a detail comes
// out under ECS's own name, with its numbers as ECS wrote them: fields that were unknown when this was built included.
var (
	taskNames = map[string]string{
		"clusterArn": "clusterARN", "containerInstanceArn": "containerInstanceARN",
		"taskArn": "taskARN", "taskDefinitionArn": "taskDefinitionARN",
	}
	containerNames = map[string]string{"containerArn": "containerARN"}
	instanceNames  = map[string]string{
		"clusterArn": "clusterARN", "containerInstanceArn": "containerInstanceARN", "ec2InstanceId": "EC2InstanceID",
	}
)

type fields = map[string]json.RawMessage

// taskEntity is the merged detail of a task in the API's spelling: some of its fields, or all of them for none.
func taskEntity(r state.Record, only []string) (client.TaskEntity, error) {
	raw, err := entityOf(r, only, func(detail fields) error {
		rename(detail, taskNames)
		return eachObject(detail, "containers", func(container fields) error {
			rename(container, containerNames)
			return nil
		})
	})
	return client.TaskEntity{Raw: raw}, err
}

// instanceEntity is the merged detail of a container instance, as taskEntity is of a task.
func instanceEntity(r state.Record, only []string) (client.ContainerInstanceEntity, error) {
	raw, err := entityOf(r, only, func(detail fields) error {
		rename(detail, instanceNames)
		// Most of ECS's own attributes have no value; v0.3.0 always had one.
		err := eachObject(detail, "attributes", func(attribute fields) error {
			if _, ok := attribute["value"]; !ok {
				attribute["value"] = json.RawMessage(`""`)
			}
			return nil
		})
		for _, name := range []string{"registeredResources", "remainingResources"} {
			if err == nil {
				err = eachObject(detail, name, addResourceValue)
			}
		}
		return err
	})
	return client.ContainerInstanceEntity{Raw: raw}, err
}

func entityOf(r state.Record, only []string, change func(fields) error) (json.RawMessage, error) {
	merged, err := r.Detail()
	if err != nil {
		return nil, err
	}
	var detail fields
	if err := json.Unmarshal(merged, &detail); err != nil {
		return nil, fmt.Errorf("reading the detail of %s: %w", r.Key, err)
	}
	if err := change(detail); err != nil {
		return nil, fmt.Errorf("reading the detail of %s: %w", r.Key, err)
	}
	reduce(detail, only)
	return encodeRaw(detail)
}

func rename(object fields, names map[string]string) {
	for from, to := range names {
		if value, ok := object[from]; ok {
			delete(object, from)
			object[to] = value
		}
	}
}

// eachObject changes every object of a list, which may be missing or null.
func eachObject(parent fields, name string, change func(fields) error) error {
	var list []fields
	raw, ok := parent[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if list == nil {
		return nil
	}
	for _, object := range list {
		if object == nil {
			continue
		}
		if err := change(object); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	changed, err := encodeRaw(list)
	if err != nil {
		return err
	}
	parent[name] = changed
	return nil
}

// addResourceValue adds the amount as v0.3.0 wrote it, one text for all types.
func addResourceValue(resource fields) error {
	text, err := resourceValue(resource)
	if err != nil {
		return err
	}
	value, err := encodeRaw(text)
	resource["value"] = value
	return err
}

func resourceValue(resource fields) (string, error) {
	var kind string
	if raw, ok := resource["type"]; ok {
		if err := json.Unmarshal(raw, &kind); err != nil {
			return "", fmt.Errorf("type: %w", err)
		}
	}
	switch kind {
	case "INTEGER":
		return numberText(resource["integerValue"]), nil
	case "LONG":
		return numberText(resource["longValue"]), nil
	case "DOUBLE":
		text := numberText(resource["doubleValue"])
		if number, err := strconv.ParseFloat(text, 64); err == nil {
			text = strconv.FormatFloat(number, 'f', 2, 64)
		}
		return text, nil
	case "STRINGSET":
		var values []string
		if raw, ok := resource["stringSetValue"]; ok {
			if err := json.Unmarshal(raw, &values); err != nil {
				return "", fmt.Errorf("stringSetValue: %w", err)
			}
		}
		return strings.Join(values, ","), nil
	default:
		return "", nil
	}
}

func numberText(raw json.RawMessage) string {
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}

// encodeRaw writes JSON without escaping <, > and &, which commands and reasons may hold.
func encodeRaw(v any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding a detail: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func metadataOf(r state.Record, position string) client.Metadata {
	metadata := client.Metadata{EntityVersion: position, Version: r.Version, StoredAt: r.StoredAt}
	if r.Tombstone != nil {
		metadata.Inferred = r.Tombstone.Inferred
		metadata.VisibleUntil = &r.Tombstone.VisibleUntil
	}
	return metadata
}
