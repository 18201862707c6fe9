package httpapi

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/internal/state"
)

// The fields that an entity can be reduced to, sorted: what Blox knows of ECS's details, in the API's spelling. Fields
// that ECS has learnt since come with whole entities only, for a name that nobody knows is more often a mistake.
var (
	taskFieldNames     = fieldNames(reflect.TypeFor[state.Task](), taskNames)
	instanceFieldNames = fieldNames(reflect.TypeFor[state.ContainerInstance](), instanceNames)
)

// What is always there: without it nobody could tell what an entity is about.
const (
	taskIdentity     = "taskARN"
	instanceIdentity = "containerInstanceARN"
)

// fieldNames are the JSON names of a struct's fields, as the API spells them.
func fieldNames(of reflect.Type, spelling map[string]string) []string {
	names := make([]string, 0, of.NumField())
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if own, ok := spelling[name]; ok {
			name = own
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TaskFields choose what of a task is answered.
type TaskFields struct {
	Fields []string `query:"fields" nullable:"false" maxItems:"50" doc:"Names of an entity's fields with commas in between, such as lastStatus,startedAt: only these and taskARN are answered, of those that are set. Metadata is always there. Without it, everything is answered."`
}

// Resolve checks the names.
func (in *TaskFields) Resolve(huma.Context) []error {
	return checkFields(&in.Fields, taskFieldNames, taskIdentity)
}

// InstanceFields choose what of a container instance is answered.
type InstanceFields struct {
	Fields []string `query:"fields" nullable:"false" maxItems:"50" doc:"Names of an entity's fields with commas in between, such as status,agentConnected: only these and containerInstanceARN are answered, of those that are set. Metadata is always there. Without it, everything is answered."`
}

// Resolve checks the names.
func (in *InstanceFields) Resolve(huma.Context) []error {
	return checkFields(&in.Fields, instanceFieldNames, instanceIdentity)
}

// checkFields refuses names that nobody knows, and adds the identity to the others.
func checkFields(given *[]string, allowed []string, identity string) []error {
	var unknown, kept []string
	for _, name := range *given {
		switch name = strings.TrimSpace(name); {
		case name == "":
		case slices.Contains(allowed, name):
			kept = append(kept, name)
		default:
			unknown = append(unknown, shorten(name))
		}
	}
	if len(unknown) > 0 {
		return []error{wrong("query.fields", nil, "%s: no such field, allowed are %s", listed(unknown), listed(allowed))}
	}
	if len(kept) > 0 {
		kept = append(kept, identity)
	}
	*given = kept
	return nil
}

// reduce drops all but these fields of an entity; none of them for no names.
func reduce(entity fields, only []string) {
	if len(only) == 0 {
		return
	}
	maps.DeleteFunc(entity, func(name string, _ json.RawMessage) bool { return !slices.Contains(only, name) })
}
