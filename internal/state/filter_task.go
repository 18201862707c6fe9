package state

import (
	"net/netip"
	"strings"
	"time"
)

// Matches says whether the filter picks the record; it never picks anything but
// a task. What stands beside the detail is looked at first; the detail is
// decoded at most once, and only if something in it is asked for. A record whose
// detail cannot be read matches no filter that asks for something in it.
func (f TaskFilter) Matches(r Record) bool {
	if !f.matchesFields(r) {
		return false
	}
	words := f.wordsLeft(r)
	if !f.asksForDetail() && len(words) == 0 {
		return true
	}
	if !detailMayHold(words, r) {
		return false
	}
	task, err := r.AsTask()
	return err == nil && f.matchesDetail(task) && haveWords(words, func(add func(...string)) { addTaskTexts(add, task) })
}

// matchesFields looks at what stands beside the detail.
func (f TaskFilter) matchesFields(r Record) bool {
	return r.Kind == KindTask &&
		clusterMatches(f.Cluster, r.Cluster) &&
		statusMatches(f.LastStatus, r.Task.LastStatus) &&
		statusMatches(f.DesiredStatus, r.Task.DesiredStatus) &&
		textMatches(f.StartedBy, r.Task.StartedBy) &&
		textMatches(f.Group, r.Task.Group) &&
		textMatches(f.Family, r.Task.Family) &&
		f.containerInstanceMatches(r) &&
		f.serviceMatches(r) &&
		f.familyMatches(r) &&
		timeMatches(f.StoppedSince, f.StoppedUntil, stoppedAt(r))
}

func stoppedAt(r Record) *time.Time {
	if r.Tombstone == nil {
		return nil
	}
	return &r.Tombstone.StoppedAt
}

func (f TaskFilter) containerInstanceMatches(r Record) bool {
	id := r.Task.ContainerInstanceID
	return f.ContainerInstance == "" || id != "" &&
		(f.ContainerInstance == id || arnMatches(f.ContainerInstance, ARNContainerInstance, r.Cluster, id))
}

func (f TaskFilter) serviceMatches(r Record) bool {
	if f.Service == "" {
		return true
	}
	name, ok := strings.CutPrefix(r.Task.Group, serviceGroup)
	return ok && name != "" && (f.Service == name || arnMatches(f.Service, ARNService, r.Cluster, name))
}

const serviceGroup = "service:"

// ServiceGroup is the group that ECS gives to the tasks of the service that
// a filter names, by its name or ARN. Empty stays empty.
func ServiceGroup(service string) string {
	if service == "" {
		return ""
	}
	return serviceGroup + service[strings.LastIndexByte(service, '/')+1:]
}

// familyMatches compares as much of the task definition as stands beside the
// detail.
func (f TaskFilter) familyMatches(r Record) bool {
	if f.TaskDefinition == "" {
		return true
	}
	name := f.TaskDefinition[strings.LastIndexByte(f.TaskDefinition, '/')+1:]
	family, _, _ := strings.Cut(name, ":")
	return family == r.Task.Family
}

func (f TaskFilter) asksForRevision() bool { return strings.Contains(f.TaskDefinition, ":") }

func (f TaskFilter) asksForDetail() bool {
	return f.asksForRevision() || f.LaunchType != "" || f.HealthStatus != "" || f.StopCode != "" ||
		f.AvailabilityZone != "" || f.Image != "" || f.PrivateIP != "" || f.CapacityProvider != "" ||
		!f.StartedSince.IsZero() || !f.StartedUntil.IsZero()
}

func (f TaskFilter) matchesDetail(t Task) bool {
	return f.revisionMatches(t) &&
		statusMatches(f.LaunchType, t.LaunchType) &&
		statusMatches(f.HealthStatus, t.HealthStatus) &&
		statusMatches(f.StopCode, t.StopCode) &&
		textMatches(f.AvailabilityZone, t.AvailabilityZone) &&
		textMatches(f.CapacityProvider, t.CapacityProviderName) &&
		timeMatches(f.StartedSince, f.StartedUntil, t.StartedAt) &&
		imageMatches(f.Image, t.Containers) &&
		addressMatches(f.PrivateIP, t)
}

// revisionMatches compares the whole task definition, whose family is known to
// match. An ARN is compared as a whole, and with it account and region, which are
// those of the task's cluster. Family and revision end an ARN, so that none need
// be parsed.
func (f TaskFilter) revisionMatches(t Task) bool {
	return !f.asksForRevision() || t.TaskDefinitionARN == f.TaskDefinition ||
		strings.HasSuffix(t.TaskDefinitionARN, "/"+f.TaskDefinition)
}

func imageMatches(wanted string, containers []Container) bool {
	if wanted == "" {
		return true
	}
	for _, container := range containers {
		if container.Image == wanted {
			return true
		}
		name := imageName(container.Image)
		if name == wanted || container.ImageDigest != "" && name+"@"+container.ImageDigest == wanted {
			return true
		}
	}
	return false
}

// imageName is a reference without tag and digest. A colon before the last slash
// is a registry's port.
func imageName(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// addressMatches compares addresses as such: IPv6 has many spellings of one.
func addressMatches(wanted string, t Task) bool {
	if wanted == "" {
		return true
	}
	address, err := netip.ParseAddr(wanted)
	if err != nil {
		return false
	}
	found := false
	eachAddress(t, func(text string) {
		is, err := netip.ParseAddr(text)
		found = found || err == nil && is.Unmap() == address.Unmap()
	})
	return found
}

// eachAddress gives the addresses of a task's network interfaces. An interface is
// an attachment before any container knows of it, and remains one after the
// containers have stopped.
func eachAddress(t Task, give func(text string)) {
	for _, container := range t.Containers {
		for _, networkInterface := range container.NetworkInterfaces {
			give(networkInterface.PrivateIPv4Address)
			give(networkInterface.IPv6Address)
		}
	}
	for _, attachment := range t.Attachments {
		for _, detail := range attachment.Details {
			if isAddress(detail.Name) {
				give(detail.Value)
			}
		}
	}
}

// isAddress says whether a detail of an attachment is a private address: ECS
// calls it privateIPv4Address or ipv6Address.
func isAddress(detail string) bool {
	return strings.EqualFold(detail, "privateIPv4Address") ||
		strings.EqualFold(detail, "ipv6Address") || strings.EqualFold(detail, "privateIPv6Address")
}
