package state

// Matches says whether the filter picks the record; it never picks anything but
// a container instance. The detail is decoded as TaskFilter.Matches does it.
func (f InstanceFilter) Matches(r Record) bool {
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
	instance, err := r.AsContainerInstance()
	return err == nil && f.matchesDetail(instance) &&
		haveWords(words, func(add func(...string)) { addInstanceTexts(add, instance) })
}

// matchesFields looks at what stands beside the detail.
func (f InstanceFilter) matchesFields(r Record) bool {
	return r.Kind == KindContainerInstance &&
		clusterMatches(f.Cluster, r.Cluster) &&
		statusMatches(f.Status, r.Instance.Status) &&
		(f.AgentConnected == nil || *f.AgentConnected == r.Instance.AgentConnected) &&
		textMatches(f.EC2InstanceID, r.Instance.EC2InstanceID)
}

func (f InstanceFilter) asksForDetail() bool {
	return f.InstanceType != "" || f.AvailabilityZone != "" || f.AgentVersion != "" || f.CapacityProvider != "" ||
		len(f.Attributes) > 0 || !f.RegisteredSince.IsZero() || !f.RegisteredUntil.IsZero()
}

func (f InstanceFilter) matchesDetail(c ContainerInstance) bool {
	return (f.InstanceType == "" || f.InstanceType == c.InstanceType()) &&
		(f.AvailabilityZone == "" || f.AvailabilityZone == c.AvailabilityZone()) &&
		(f.AgentVersion == "" || c.VersionInfo != nil && f.AgentVersion == c.VersionInfo.AgentVersion) &&
		textMatches(f.CapacityProvider, c.CapacityProviderName) &&
		timeMatches(f.RegisteredSince, f.RegisteredUntil, c.RegisteredAt) &&
		attributesMatch(f.Attributes, c)
}

func attributesMatch(wanted []AttributeFilter, c ContainerInstance) bool {
	for _, filter := range wanted {
		value, ok := c.Attribute(filter.Name)
		if !ok || filter.Value != nil && *filter.Value != value {
			return false
		}
	}
	return true
}
