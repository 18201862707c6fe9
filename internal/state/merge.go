package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// The fields of a detail that only one source ever tells. They are why a record
// keeps both sources: a newer event must not wipe out the tags, and a newer
// Describe not the account type.
var (
	describedOnly = map[Kind][]string{
		KindTask:              {"tags", "fargateEphemeralStorage", "inferenceAccelerators"},
		KindContainerInstance: {"capacityProviderName", "gpuDevices", "healthStatus", "tags"},
	}
	eventOnly = map[Kind][]string{
		KindTask:              {"updatedAt"},
		KindContainerInstance: {"accountType", "updatedAt"},
	}
	// changesUnversioned are fields that both sources tell and that change
	// without a new version. Where a Describe of an equal version leaves one
	// out, it is empty by now.
	changesUnversioned = map[Kind][]string{
		KindContainerInstance: {"attributes"},
	}
)

// Detail is the merged detail: a JSON object with all that is known.
//
// The base is what the source with the higher version told; at an equal version
// it is the described one, because only Describe sees changes that have no
// version. A field the base has wins. A field that only the other side has
// survives if the base's source can never tell it; any other would be a field
// that went away with the newer version. At an equal version both sides speak of
// the same state, so there a field of the event survives unless Describe would
// know better. Fields unknown to Blox follow the same rules.
//
// A record that was inferred to be gone shows the end that nobody reported:
// STOPPED or INACTIVE.
func (r Record) Detail() (json.RawMessage, error) {
	detail, err := r.merged()
	if err != nil {
		return nil, fmt.Errorf("merging the detail of %s: %w", r.Key, err)
	}
	if r.Tombstone == nil || !r.Tombstone.Inferred {
		return detail, nil
	}
	fields, err := objectFields(detail)
	if err != nil {
		return nil, fmt.Errorf("merging the detail of %s: %w", r.Key, err)
	}
	switch r.Kind {
	case KindTask:
		fields["lastStatus"] = json.RawMessage(`"` + TaskStopped + `"`)
		fields["desiredStatus"] = json.RawMessage(`"` + TaskStopped + `"`)
	case KindContainerInstance:
		fields["status"] = json.RawMessage(`"` + InstanceInactive + `"`)
		fields["agentConnected"] = json.RawMessage("false")
	}
	return encodeFields(fields)
}

func (r Record) merged() (json.RawMessage, error) {
	// A detail that the store could not read is empty. The other source's will do if it is not older.
	if r.Event != nil && r.Described != nil {
		if len(r.Event.Detail) == 0 && r.Described.Version >= r.Event.Version {
			r.Event = nil
		} else if len(r.Described.Detail) == 0 && r.Event.Version >= r.Described.Version {
			r.Described = nil
		}
	}
	switch {
	case r.Event == nil && r.Described == nil:
		return nil, errors.New("no source has told anything")
	case r.Event != nil && len(r.Event.Detail) == 0, r.Described != nil && len(r.Described.Detail) == 0:
		return nil, errors.New("the stored detail cannot be read")
	case r.Described == nil:
		return r.Event.Detail, nil
	case r.Event == nil:
		return r.Described.Detail, nil
	}
	event, err := objectFields(r.Event.Detail)
	if err != nil {
		return nil, fmt.Errorf("reading the event's detail: %w", err)
	}
	described, err := objectFields(r.Described.Detail)
	if err != nil {
		return nil, fmt.Errorf("reading the described detail: %w", err)
	}
	if r.Event.Version > r.Described.Version {
		keepOnly(event, described, describedOnly[r.Kind])
		return encodeFields(event)
	}
	if r.Event.Version < r.Described.Version {
		keepOnly(described, event, eventOnly[r.Kind])
		return encodeFields(described)
	}
	for _, name := range describedOnly[r.Kind] {
		delete(event, name)
	}
	for _, name := range changesUnversioned[r.Kind] {
		delete(event, name)
	}
	for name, value := range event {
		if _, ok := described[name]; !ok {
			described[name] = value
		}
	}
	return encodeFields(described)
}

// keepOnly adds to base the named fields of older that base does not have.
func keepOnly(base, older map[string]json.RawMessage, names []string) {
	for _, name := range names {
		value, ok := older[name]
		if _, has := base[name]; ok && !has {
			base[name] = value
		}
	}
}

func objectFields(detail json.RawMessage) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(detail, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("null, allowed is an object")
	}
	return fields, nil
}

// encodeFields writes the fields sorted by name, so that equal records have
// equal bytes.
func encodeFields(fields map[string]json.RawMessage) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	// Container commands and reasons may hold <, > and &: they stay as ECS
	// wrote them.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fields); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
