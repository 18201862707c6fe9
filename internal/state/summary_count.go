package state

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// The bounds of a Summary's lists. With everything at its bound and every name as
// long as ECS allows, the JSON has 76 KB, well within the 400 KB of an item in
// DynamoDB; a family with a common name and two revisions takes about 130 bytes.
const (
	maxSummaryStatuses  = 20
	maxSummaryFamilies  = 100
	maxSummaryRevisions = 5
	maxSummaryVersions  = 50
	maxSummaryResources = 20
	// maxSummaryName is as long as the names of ECS can be. Whatever is longer
	// counts with what is beyond the bounds.
	maxSummaryName = 255
	// maxSummarySum is how far whole numbers are exact; JSON and DynamoDB take no
	// infinite ones, whatever the hosts told.
	maxSummarySum = 1 << 53
)

// otherName is the name of what a list without a place for the rest sums up.
const otherName = "other"

// Summarize counts tasks and container instances as they were at a time. What has
// ended is left out, but for the time of its last event.
func Summarize(tasks, instances []Record, at time.Time) Summary {
	summary := Summary{CountedAt: at}
	families := newFamilyTally()
	taskStatuses := newTally()
	for _, task := range tasks {
		summary.sawEvent(task)
		if task.Tombstone != nil {
			continue
		}
		summary.Tasks.Total++
		taskStatuses.add(task.Task.LastStatus)
		families.add(task)
	}
	summary.Tasks.ByStatus = taskStatuses.withOther(maxSummaryStatuses)
	summary.Tasks.Families, summary.Tasks.OtherFamilies = families.largest()

	count := newInstanceTally()
	for _, instance := range instances {
		summary.sawEvent(instance)
		if instance.Tombstone == nil {
			count.add(instance)
		}
	}
	summary.Instances = count.summary()
	return summary
}

func (s *Summary) sawEvent(r Record) {
	if r.Event != nil && r.Event.At.After(s.LastEventAt) {
		s.LastEventAt = r.Event.At
	}
}

// tally counts names.
type tally struct {
	counts  map[string]int
	tooLong int
}

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (t *tally) add(name string) {
	if len(name) > maxSummaryName {
		t.tooLong++
		return
	}
	t.counts[name]++
}

// largest are at most limit names, most first, then by name; other counts the
// rest.
func (t *tally) largest(limit int) (counts []Count, other int) {
	counts = make([]Count, 0, len(t.counts))
	for name, count := range t.counts {
		counts = append(counts, Count{Name: name, Count: count})
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	other = t.tooLong
	if len(counts) > limit {
		for _, beyond := range counts[limit:] {
			other += beyond.Count
		}
		counts = counts[:limit:limit]
	}
	return counts, other
}

// withOther is largest with the rest as an entry of its own.
func (t *tally) withOther(limit int) []Count {
	counts, other := t.largest(limit)
	if other > 0 {
		counts = append(counts, Count{Name: otherName, Count: other})
	}
	return counts
}

// familyTally counts tasks by family and revision.
type familyTally struct {
	families  *tally
	revisions map[string]map[int]int
}

func newFamilyTally() *familyTally {
	return &familyTally{families: newTally(), revisions: map[string]map[int]int{}}
}

func (t *familyTally) add(r Record) {
	t.families.add(r.Task.Family)
	of := t.revisions[r.Task.Family]
	if of == nil {
		of = map[int]int{}
		t.revisions[r.Task.Family] = of
	}
	of[revisionOf(r)]++
}

// revisionOf reads nothing of the detail but the task definition: a summary looks
// at every task of a cluster, and merging and decoding a detail costs two to six
// times as much. Both sources tell a task's definition with each version.
func revisionOf(r Record) int {
	told := r.Described
	if told == nil || r.Event != nil && r.Event.Version > told.Version {
		told = r.Event
	}
	if told == nil {
		return 0
	}
	var task struct {
		TaskDefinitionARN string `json:"taskDefinitionArn"`
	}
	if err := json.Unmarshal(told.Detail, &task); err != nil {
		return 0
	}
	return Task{TaskDefinitionARN: task.TaskDefinitionARN}.TaskDefinitionRevision()
}

func (t *familyTally) largest() (families []FamilyCount, other int) {
	counts, other := t.families.largest(maxSummaryFamilies)
	families = make([]FamilyCount, len(counts))
	for i, count := range counts {
		families[i] = FamilyCount{Family: count.Name, Count: count.Count}
		families[i].Revisions, families[i].OtherRevisions = largestRevisions(t.revisions[count.Name])
	}
	return families, other
}

// largestRevisions are those with most tasks; of equals, the newest.
func largestRevisions(counts map[int]int) (revisions []RevisionCount, other int) {
	revisions = make([]RevisionCount, 0, len(counts))
	for revision, count := range counts {
		revisions = append(revisions, RevisionCount{Revision: revision, Count: count})
	}
	slices.SortFunc(revisions, func(a, b RevisionCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Revision, a.Revision))
	})
	if len(revisions) > maxSummaryRevisions {
		for _, beyond := range revisions[maxSummaryRevisions:] {
			other += beyond.Count
		}
		revisions = revisions[:maxSummaryRevisions:maxSummaryRevisions]
	}
	return revisions, other
}

// instanceTally counts container instances.
type instanceTally struct {
	total, disconnected int
	statuses, versions  *tally
	resources           map[string]*ResourceSum
}

func newInstanceTally() *instanceTally {
	return &instanceTally{statuses: newTally(), versions: newTally(), resources: map[string]*ResourceSum{}}
}

// add counts a container instance whose detail cannot be read by what stands
// beside the detail.
func (t *instanceTally) add(r Record) {
	t.total++
	t.statuses.add(r.Instance.Status)
	if !r.Instance.AgentConnected {
		t.disconnected++
	}
	instance, err := r.AsContainerInstance()
	if err != nil || instance.VersionInfo == nil {
		t.versions.add("")
	} else {
		t.versions.add(instance.VersionInfo.AgentVersion)
	}
	for _, resource := range instance.RegisteredResources {
		t.sum(resource, func(sum *ResourceSum) *float64 { return &sum.Registered })
	}
	for _, resource := range instance.RemainingResources {
		t.sum(resource, func(sum *ResourceSum) *float64 { return &sum.Remaining })
	}
}

func (t *instanceTally) sum(resource Resource, side func(*ResourceSum) *float64) {
	amount, ok := amountOf(resource)
	if !ok || len(resource.Name) > maxSummaryName {
		return
	}
	sum := t.resources[resource.Name]
	if sum == nil {
		sum = &ResourceSum{Name: resource.Name}
		t.resources[resource.Name] = sum
	}
	*side(sum) = max(-maxSummarySum, min(*side(sum)+amount, maxSummarySum))
}

// amountOf is how much of a resource there is. Ports are a set of those taken,
// which has no sum; GPUs are a set of their ids, of which each is one.
func amountOf(resource Resource) (amount float64, ok bool) {
	switch {
	case resource.Type == "INTEGER" && resource.IntegerValue != nil:
		return float64(*resource.IntegerValue), true
	case resource.Type == "LONG" && resource.LongValue != nil:
		return float64(*resource.LongValue), true
	case resource.Type == "DOUBLE" && resource.DoubleValue != nil:
		return *resource.DoubleValue, true
	case resource.Type == "STRINGSET" && resource.Name == "GPU":
		return float64(len(resource.StringSetValue)), true
	default:
		return 0, false
	}
}

func (t *instanceTally) summary() InstanceSummary {
	summary := InstanceSummary{
		Total: t.total, ByStatus: t.statuses.withOther(maxSummaryStatuses), AgentDisconnected: t.disconnected,
		Resources: make([]ResourceSum, 0, len(t.resources)),
	}
	summary.ByAgentVersion, summary.OtherAgentVersions = t.versions.largest(maxSummaryVersions)
	for _, sum := range t.resources {
		summary.Resources = append(summary.Resources, ResourceSum{
			Name: sum.Name, Registered: rounded(sum.Registered), Remaining: rounded(sum.Remaining),
		})
	}
	slices.SortFunc(summary.Resources, func(a, b ResourceSum) int { return strings.Compare(a.Name, b.Name) })
	if len(summary.Resources) > maxSummaryResources {
		summary.OtherResources = len(summary.Resources) - maxSummaryResources
		summary.Resources = summary.Resources[:maxSummaryResources]
	}
	return summary
}

// rounded is a sum in thousandths: DynamoDB refuses numbers that are nearly zero,
// below 10^-130.
func rounded(sum float64) float64 { return math.Round(sum*1000) / 1000 }
