package ecssim

import (
	"maps"
	"slices"
	"strings"
)

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type tags []tag

const maxTags = 50

func (t tags) check() error {
	if len(t) > maxTags {
		return invalid("tags: %d were given, at most %d are allowed.", len(t), maxTags)
	}
	for i, x := range t {
		if x.Key == "" || len(x.Key) > 128 || len(x.Value) > 256 {
			return invalid("tag %q: a key has 1 to 128 characters, a value at most 256.", x.Key)
		}
		if strings.HasPrefix(strings.ToLower(x.Key), "aws:") {
			return invalid("tag %q: keys that begin with aws: are reserved.", x.Key)
		}
		if slices.ContainsFunc(t[:i], func(y tag) bool { return y.Key == x.Key }) {
			return invalid("tag %q is given twice.", x.Key)
		}
	}
	return nil
}

// with returns the tags with more set over them; the old slice stays as it is.
func (t tags) with(more tags) tags {
	merged := slices.Clone(t)
	for _, x := range more {
		i := slices.IndexFunc(merged, func(y tag) bool { return y.Key == x.Key })
		if i < 0 {
			merged = append(merged, x)
		} else {
			merged[i] = x
		}
	}
	return merged
}

func tagsOf(values map[string]string) tags {
	var t tags
	for _, key := range slices.Sorted(maps.Keys(values)) {
		t = append(t, tag{Key: key, Value: values[key]})
	}
	return t
}

// listed is how an answer shows tags: [] if there are none, never null.
func listed(t tags) *tags {
	shown := append(tags{}, t...)
	return &shown
}

func (t tags) without(keys []string) tags {
	return slices.DeleteFunc(slices.Clone(t), func(x tag) bool { return slices.Contains(keys, x.Key) })
}

// tagged finds the tags of a resource by its ARN.
func (s *Simulator) tagged(arn string) (*tags, error) {
	kind, path, found := strings.Cut(strings.TrimPrefix(arn, strings.TrimSuffix(s.arn("", ""), "/")), "/")
	if !strings.HasPrefix(arn, "arn:") || !found {
		return nil, invalid("resourceArn %q is not the ARN of a cluster, service, task, task definition or container instance.", arn)
	}
	name, id, _ := strings.Cut(path, "/")
	c := s.clusters[name]
	switch {
	case kind == "task-definition":
		if d := s.findDefinition(path); d != nil {
			return &d.tags, nil
		}
	case c == nil:
	case kind == "cluster" && id == "":
		return &c.tags, nil
	case kind == "service" && c.services[id] != nil:
		return &c.services[id].tags, nil
	case kind == "task" && c.taskByID[id] != nil:
		return &c.taskByID[id].tags, nil
	case kind == "container-instance" && c.hostByID[id] != nil:
		return &c.hostByID[id].tags, nil
	}
	return nil, invalid("The specified %s could not be found: %s", kind, arn)
}

type tagResourceIn struct {
	ResourceArn string   `json:"resourceArn"`
	Tags        tags     `json:"tags"`
	TagKeys     []string `json:"tagKeys"`
}

func (s *Simulator) tagResource(in *tagResourceIn) (struct{}, error) {
	current, err := s.tagged(in.ResourceArn)
	if err != nil {
		return struct{}{}, err
	}
	if err := in.Tags.check(); err != nil {
		return struct{}{}, err
	}
	merged := current.with(in.Tags)
	if err := merged.check(); err != nil {
		return struct{}{}, err
	}
	*current = merged
	return struct{}{}, nil
}

func (s *Simulator) untagResource(in *tagResourceIn) (struct{}, error) {
	current, err := s.tagged(in.ResourceArn)
	if err != nil {
		return struct{}{}, err
	}
	*current = current.without(in.TagKeys)
	return struct{}{}, nil
}

type listTagsOut struct {
	Tags *tags `json:"tags"`
}

func (s *Simulator) listTagsForResource(in *tagResourceIn) (*listTagsOut, error) {
	current, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &listTagsOut{listed(*current)}, nil
}
