package state

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordsLeft are the words of the search that do not stand beside the detail.
func (f TaskFilter) wordsLeft(r Record) []string {
	if f.Search == "" {
		return nil
	}
	return missingWords(searchWords(f.Search), func(add func(...string)) {
		add(r.ID, r.ARN, r.Task.Family, r.Task.Group, r.Task.StartedBy, r.Task.ContainerInstanceID)
	})
}

// wordsLeft are the words of the search that do not stand beside the detail.
func (f InstanceFilter) wordsLeft(r Record) []string {
	if f.Search == "" {
		return nil
	}
	return missingWords(searchWords(f.Search), func(add func(...string)) {
		add(r.ID, r.ARN, r.Instance.EC2InstanceID)
	})
}

// addTaskTexts gives what a search looks through in a task's detail.
func addTaskTexts(add func(...string), t Task) {
	// The end of a task definition's ARN is family:revision.
	add(t.TaskDefinitionARN, t.StoppedReason, t.StopCode, t.CapacityProviderName, t.AvailabilityZone)
	for _, container := range t.Containers {
		add(container.Name, container.Image, container.ImageDigest, container.RuntimeID, container.Reason)
	}
	eachAddress(t, func(text string) { add(text) })
}

// addInstanceTexts gives what a search looks through in a container instance's
// detail. Of the attributes those that somebody set are names that people
// know a host by; ECS's own hundred capabilities would match any search.
func addInstanceTexts(add func(...string), c ContainerInstance) {
	add(c.StatusReason, c.CapacityProviderName, c.InstanceType(), c.AvailabilityZone())
	if c.VersionInfo != nil {
		add(c.VersionInfo.AgentVersion, c.VersionInfo.DockerVersion)
	}
	for _, attribute := range c.Attributes {
		if attribute.Value != "" {
			add(attribute.Value)
		}
		if !isOwnAttribute(attribute.Name) {
			add(attribute.Name)
		}
	}
}

// isOwnAttribute says whether ECS itself or its agent set an attribute.
func isOwnAttribute(name string) bool {
	return strings.HasPrefix(name, "ecs.") || strings.HasPrefix(name, "com.amazonaws.ecs.")
}

// searchWords are the folded words of a search.
func searchWords(search string) []string { return strings.Fields(fold(search)) }

// missingWords are those words that stand in none of the texts. No word holds a
// blank, so a line break between the texts keeps a word from matching across two.
func missingWords(words []string, texts func(add func(...string))) []string {
	var all strings.Builder
	texts(func(more ...string) {
		for _, text := range more {
			all.WriteString(text)
			all.WriteByte('\n')
		}
	})
	folded := fold(all.String())
	var missing []string
	for _, word := range words {
		if !strings.Contains(folded, word) {
			missing = append(missing, word)
		}
	}
	return missing
}

func haveWords(words []string, texts func(add func(...string))) bool {
	return len(words) == 0 || len(missingWords(words, texts)) == 0
}

// detailMayHold says, without decoding, whether the words can stand in the
// detail: most records that a search looks at do not have them, and decoding is
// what costs. A text that a decoder would give as it is stands in the JSON letter
// by letter, unless something in it is escaped.
func detailMayHold(words []string, r Record) bool {
	if len(words) == 0 {
		return true
	}
	var folded strings.Builder
	for _, source := range []*SourceDetail{r.Event, r.Described} {
		if source == nil {
			continue
		}
		if bytes.IndexByte(source.Detail, '\\') >= 0 {
			return true
		}
		folded.WriteString(fold(string(source.Detail)))
		folded.WriteByte('\n')
	}
	for _, word := range words {
		if !strings.Contains(folded.String(), word) {
			return false
		}
	}
	return true
}

// fold writes texts that differ only in case in the same way, by the rule of
// strings.EqualFold: lower case alone leaves apart what one upper case letter
// has two lower case letters of, such as the Greek sigma.
func fold(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, text)
		}
	}
	return strings.ToUpper(text)
}

// foldRune is the smallest of the letters that are the same but for case. For
// ASCII that is the upper case letter, as k and s have their other cases beyond it.
func foldRune(r rune) rune {
	smallest := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		smallest = min(smallest, next)
	}
	return smallest
}
