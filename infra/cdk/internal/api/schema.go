package api

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// draft4 is the version of JSON Schema that API Gateway's models are written in.
const draft4 = "http://json-schema.org/draft-04/schema#"

const schemaPrefix = "#/components/schemas/"

// keywords are all that a schema may hold, and whether JSON Schema draft 4 knows them too. API Gateway refuses a model
// with keywords that it does not know. OpenAPI's own go away, for they do not say which documents fit (nullable does, and
// becomes a type); a keyword that is not listed is an error, so that none changes its meaning unnoticed.
var keywords = map[string]bool{
	"type": true, "title": true, "description": true, "default": true, "enum": true,
	"properties": true, "required": true, "additionalProperties": true, "minProperties": true, "maxProperties": true,
	"items": true, "minItems": true, "maxItems": true, "uniqueItems": true,
	"minimum": true, "maximum": true, "exclusiveMinimum": true, "exclusiveMaximum": true, "multipleOf": true,
	"minLength": true, "maxLength": true, "pattern": true, "format": true,
	"allOf": true, "anyOf": true, "oneOf": true, "not": true,

	"nullable": false, "example": false, "deprecated": false, "readOnly": false, "writeOnly": false,
	"externalDocs": false, "xml": false, "patternDescription": false,
}

// formats are those of draft 4. Others, such as int64, would only be warned about.
var formats = []string{"date-time", "email", "hostname", "ipv4", "ipv6", "uri"}

// toDraft4 makes a schema of OpenAPI 3.0 one of JSON Schema draft 4. refer gives the address of the model of another
// schema; it may be a CDK token, and is an error for a schema that there is not.
func toDraft4(s schema, refer func(name string) (any, error)) (schema, error) {
	if name, ok := referred(s); ok {
		// Draft 4, as OpenAPI 3.0, ignores all that stands beside a reference.
		address, err := refer(name)
		return schema{"$ref": address}, err
	}
	out := make(schema, len(s))
	for _, keyword := range slices.Sorted(maps.Keys(s)) {
		kept, known := keywords[keyword]
		if !known {
			return nil, fmt.Errorf("keyword %q is none of those that can be carried over to a model of API Gateway", keyword)
		}
		if !kept {
			continue
		}
		value, err := keywordToDraft4(keyword, s[keyword], refer)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", keyword, err)
		}
		if value != nil {
			out[keyword] = value
		}
	}
	if s["nullable"] == true {
		if out["type"] == nil {
			return nil, errors.New("nullable without a type says nothing")
		}
		out["type"] = []any{out["type"], "null"}
	}
	return out, nil
}

// keywordToDraft4 converts one keyword's value; nil leaves the keyword out.
func keywordToDraft4(keyword string, value any, refer func(name string) (any, error)) (any, error) {
	switch keyword {
	case "format":
		if name, ok := value.(string); !ok || !slices.Contains(formats, name) {
			return nil, nil
		}
		return value, nil
	case "properties":
		properties, ok := value.(schema)
		if !ok {
			return nil, fmt.Errorf("is %v, allowed is an object", value)
		}
		out := make(schema, len(properties))
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			converted, err := subschema(properties[name], refer)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = converted
		}
		return out, nil
	case "allOf", "anyOf", "oneOf":
		list, ok := value.([]any)
		if !ok {
			return nil, fmt.Errorf("is %v, allowed is a list", value)
		}
		out := make([]any, 0, len(list))
		for _, element := range list {
			converted, err := subschema(element, refer)
			if err != nil {
				return nil, err
			}
			out = append(out, converted)
		}
		return out, nil
	case "additionalProperties":
		if _, ok := value.(bool); ok {
			return value, nil
		}
		return subschema(value, refer)
	case "items", "not":
		return subschema(value, refer)
	default:
		return value, nil
	}
}

func subschema(value any, refer func(name string) (any, error)) (any, error) {
	s, ok := value.(schema)
	if !ok {
		return nil, fmt.Errorf("is %v, allowed is a schema", value)
	}
	return toDraft4(s, refer)
}

// referred is the name of the schema that a reference means.
func referred(s schema) (string, bool) {
	ref, ok := s["$ref"].(string)
	if !ok {
		return "", false
	}
	return strings.TrimPrefix(ref, schemaPrefix), true
}
