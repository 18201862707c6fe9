package ecssim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// findDefinition takes family, family:revision or an ARN. A bare family is its newest active revision.
func (s *Simulator) findDefinition(ref string) *taskDefinition {
	ref = strings.TrimPrefix(ref, s.arn("task-definition", ""))
	name, revision, numbered := strings.Cut(ref, ":")
	f, found := s.families[name]
	if !found {
		return nil
	}
	if numbered {
		n, err := strconv.Atoi(revision)
		if err != nil || n < 1 || n > len(f.revisions) {
			return nil
		}
		return f.revisions[n-1]
	}
	return f.latestActive()
}

func (f *family) latestActive() *taskDefinition {
	for _, d := range slices.Backward(f.revisions) {
		if d.status == "ACTIVE" {
			return d
		}
	}
	return nil
}

// launchable is a definition that new tasks may be started from.
func (s *Simulator) launchable(ref string) (*taskDefinition, error) {
	if ref == "" {
		return nil, invalid("taskDefinition is required.")
	}
	d := s.findDefinition(ref)
	switch {
	case d == nil:
		return nil, clientError("TaskDefinition not found.")
	case d.status != "ACTIVE":
		return nil, clientError("TaskDefinition is inactive")
	}
	return d, nil
}

type taskDefinitionIn struct {
	TaskDefinition string   `json:"taskDefinition"`
	Include        []string `json:"include"`
}

func (s *Simulator) deregisterTaskDefinition(in *taskDefinitionIn) (*taskDefinitionOut, error) {
	if !strings.Contains(in.TaskDefinition, ":") {
		return nil, invalid("taskDefinition %q: expected family:revision or an ARN.", in.TaskDefinition)
	}
	d := s.findDefinition(in.TaskDefinition)
	if d == nil || d.status != "ACTIVE" {
		return nil, clientError("The specified task definition does not exist or is already inactive.")
	}
	d.status, d.deregisteredAt = "INACTIVE", s.now
	return &taskDefinitionOut{TaskDefinition: d.document()}, nil
}

func (s *Simulator) describeTaskDefinition(in *taskDefinitionIn) (*taskDefinitionOut, error) {
	d := s.findDefinition(in.TaskDefinition)
	if d == nil {
		return nil, clientError("Unable to describe task definition.")
	}
	out := &taskDefinitionOut{TaskDefinition: d.document(), Tags: &tags{}}
	if slices.Contains(in.Include, "TAGS") {
		out.Tags = listed(d.tags)
	}
	return out, nil
}

type listTaskDefinitionsIn struct {
	pageRequest
	FamilyPrefix string `json:"familyPrefix"`
	Status       string `json:"status"`
	Sort         string `json:"sort"`
}

type listTaskDefinitionsOut struct {
	TaskDefinitionArns []string `json:"taskDefinitionArns"`
	NextToken          string   `json:"nextToken,omitempty"`
}

// listTaskDefinitions: familyPrefix is, its name notwithstanding, the whole name of one family.
func (s *Simulator) listTaskDefinitions(in *listTaskDefinitionsIn) (*listTaskDefinitionsOut, error) {
	status := cmp.Or(in.Status, "ACTIVE")
	if !slices.Contains([]string{"ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"}, status) {
		return nil, invalid("status %q: expected ACTIVE, INACTIVE or DELETE_IN_PROGRESS.", in.Status)
	}
	var arns []string
	for _, name := range s.familyOrder {
		if in.FamilyPrefix != "" && name != in.FamilyPrefix {
			continue
		}
		for _, d := range s.families[name].revisions {
			if d.status == status {
				arns = append(arns, d.arn)
			}
		}
	}
	compare := compareDefinitionARNs
	switch in.Sort {
	case "", "ASC":
	case "DESC":
		slices.Reverse(arns)
		compare = func(a, b string) int { return compareDefinitionARNs(b, a) }
	default:
		return nil, invalid("sort %q: expected ASC or DESC.", in.Sort)
	}
	page, next, err := pageOfNames(s.faults, arns, in.pageRequest, maxPage, compare)
	if err != nil {
		return nil, err
	}
	return &listTaskDefinitionsOut{TaskDefinitionArns: page, NextToken: next}, nil
}

// compareDefinitionARNs orders by family, then by revision as a number.
func compareDefinitionARNs(a, b string) int {
	i, j := strings.LastIndex(a, ":"), strings.LastIndex(b, ":")
	if i < 0 || j < 0 {
		return strings.Compare(a, b)
	}
	x, _ := strconv.Atoi(a[i+1:]) // made by us; a forged token compares as revision 0
	y, _ := strconv.Atoi(b[j+1:])
	return cmp.Or(strings.Compare(a[:i], b[:j]), cmp.Compare(x, y))
}

type listFamiliesIn struct {
	pageRequest
	FamilyPrefix string `json:"familyPrefix"`
	Status       string `json:"status"`
}

type listFamiliesOut struct {
	Families  []string `json:"families"`
	NextToken string   `json:"nextToken,omitempty"`
}

func (s *Simulator) listTaskDefinitionFamilies(in *listFamiliesIn) (*listFamiliesOut, error) {
	if !slices.Contains([]string{"", "ACTIVE", "INACTIVE", "ALL"}, in.Status) {
		return nil, invalid("status %q: expected ACTIVE, INACTIVE or ALL.", in.Status)
	}
	var names []string
	for _, name := range s.familyOrder {
		active := s.families[name].latestActive() != nil
		if strings.HasPrefix(name, in.FamilyPrefix) && (in.Status == "" || in.Status == "ALL" || (in.Status == "ACTIVE") == active) {
			names = append(names, name)
		}
	}
	page, next, err := pageOfNames(s.faults, names, in.pageRequest, maxPage, strings.Compare)
	if err != nil {
		return nil, err
	}
	return &listFamiliesOut{Families: page, NextToken: next}, nil
}
