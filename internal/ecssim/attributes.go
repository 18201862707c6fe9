package ecssim

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

const (
	targetTypeHost       = "container-instance"
	maxAttributesPerCall = 10
	maxCustomAttributes  = 10
)

var (
	attributeNames  = regexp.MustCompile(`^[A-Za-z0-9_./\\-]{1,128}$`)
	attributeValues = regexp.MustCompile(`^[A-Za-z0-9_.@/\\: -]{0,128}$`)
)

func (a attributeDocument) check() error {
	if !attributeNames.MatchString(a.Name) {
		return invalid("attribute name %q: 1 to 128 letters, numbers, hyphens, underscores, slashes, back slashes and periods are allowed.", a.Name)
	}
	if !attributeValues.MatchString(a.Value) || strings.TrimSpace(a.Value) != a.Value {
		return invalid("attribute %s has the value %q: at most 128 letters, numbers, hyphens, underscores, periods, @, slashes, back slashes, colons and inner spaces are allowed.", a.Name, a.Value)
	}
	if a.TargetType != "" && a.TargetType != targetTypeHost {
		return invalid("attribute %s: targetType %q, expected %s.", a.Name, a.TargetType, targetTypeHost)
	}
	return nil
}

type attributesIn struct {
	Cluster    string              `json:"cluster"`
	Attributes []attributeDocument `json:"attributes"`
}

type attributesOut struct {
	Attributes []attributeDocument `json:"attributes"`
	NextToken  string              `json:"nextToken,omitempty"`
}

// putAttributes changes hosts without an event and without a new version: ECS documents neither, so consumers of events
// have to find out by listing.
func (s *Simulator) putAttributes(in *attributesIn) (*attributesOut, error) {
	targets, err := s.attributeTargets(in)
	if err != nil {
		return nil, err
	}
	for i, a := range in.Attributes {
		h := targets[i]
		if _, known := h.attributes[a.Name]; !known && h.customAttributes() >= maxCustomAttributes {
			return nil, &apiError{Type: "AttributeLimitExceededException", Message: "A resource can have at most 10 custom attributes."}
		}
		h.setAttributes(func(all map[string]string) { all[a.Name] = a.Value })
	}
	targets[0].cluster.pokeServices() // constraints may be met now, or no longer
	return attributeAnswer(in.Attributes, targets), nil
}

func (s *Simulator) deleteAttributes(in *attributesIn) (*attributesOut, error) {
	targets, err := s.attributeTargets(in)
	if err != nil {
		return nil, err
	}
	for i, a := range in.Attributes {
		if value, found := targets[i].attributes[a.Name]; found && (a.Value == "" || a.Value == value) {
			targets[i].setAttributes(func(all map[string]string) { delete(all, a.Name) })
		}
	}
	targets[0].cluster.pokeServices()
	return attributeAnswer(in.Attributes, targets), nil
}

// attributeTargets checks a whole request before anything of it is done.
func (s *Simulator) attributeTargets(in *attributesIn) ([]*host, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("Attributes", len(in.Attributes), maxAttributesPerCall); err != nil {
		return nil, err
	}
	targets := make([]*host, len(in.Attributes))
	for i, a := range in.Attributes {
		if err := a.check(); err != nil {
			return nil, err
		}
		if targets[i] = c.host(a.TargetID); targets[i] == nil || targets[i].status == statusInactive {
			return nil, &apiError{Type: "TargetNotFoundException", Message: "The specified target was not found: " + a.TargetID}
		}
	}
	return targets, nil
}

func attributeAnswer(asked []attributeDocument, targets []*host) *attributesOut {
	out := &attributesOut{Attributes: make([]attributeDocument, len(asked))}
	for i, a := range asked {
		out.Attributes[i] = attributeDocument{Name: a.Name, Value: a.Value, TargetType: targetTypeHost, TargetID: targets[i].arn}
	}
	return out
}

// customAttributes counts those that are not ECS's own.
func (h *host) customAttributes() int {
	n := 0
	for name := range h.attributes {
		if !strings.HasPrefix(name, "ecs.") && !strings.HasPrefix(name, "com.amazonaws.ecs.") {
			n++
		}
	}
	return n
}

type listAttributesIn struct {
	pageRequest
	Cluster        string `json:"cluster"`
	TargetType     string `json:"targetType"`
	AttributeName  string `json:"attributeName"`
	AttributeValue string `json:"attributeValue"`
}

func (s *Simulator) listAttributes(in *listAttributesIn) (*attributesOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.TargetType != targetTypeHost {
		return nil, invalid("targetType %q: expected %s.", in.TargetType, targetTypeHost)
	}
	// A page is cut from keys that sort by host, then by name; the tab is in neither.
	found := map[string]attributeDocument{}
	var keys []string
	for _, h := range c.hosts {
		if h.status == statusInactive {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(h.attributes)) {
			value := h.attributes[name]
			if in.AttributeName != "" && name != in.AttributeName || in.AttributeValue != "" && value != in.AttributeValue {
				continue
			}
			key := h.arn + "\t" + name
			found[key] = attributeDocument{Name: name, Value: value, TargetType: targetTypeHost, TargetID: h.arn}
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	names, next, err := pageOfNames(s.faults, keys, in.pageRequest, maxPage, strings.Compare)
	if err != nil {
		return nil, err
	}
	out := &attributesOut{Attributes: []attributeDocument{}, NextToken: next}
	for _, key := range names {
		out.Attributes = append(out.Attributes, found[key])
	}
	return out, nil
}
