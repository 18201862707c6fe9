package command

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var regionPattern = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)

// Region finds the region by the AWS SDK's rules: AWS_REGION, AWS_DEFAULT_REGION, the profile in the shared files. None
// is an error here: the CDK would go to us-east-1 without a word, and deploy a second installation there.
func Region(getenv func(string) string) (string, error) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region := getenv(name); region != "" {
			return checkRegion(region, name)
		}
	}
	profile := getenv("AWS_PROFILE")
	if profile == "" {
		profile = "default"
	}
	region, from := profileRegion(getenv, profile)
	if missing := noProfile(getenv, getenv("AWS_PROFILE")); region == "" && missing != "" {
		return "", Problem(missing)
	}
	if region == "" {
		return "", Problem(fmt.Sprintf("There is no region: set AWS_REGION to the region where Blox is to live "+
			"(AWS_REGION=eu-west-1 make deploy), or give profile %s one ('aws configure set region eu-west-1').", profile))
	}
	return checkRegion(region, from)
}

func checkRegion(region, from string) (string, error) {
	if !regionPattern.MatchString(region) {
		return "", Problem(fmt.Sprintf("%s is %q, which is no name of a region: write it as in eu-west-1.", from, region))
	}
	return region, nil
}

// profileRegion reads the region of a profile from the shared files; the credentials file may hold one too.
func profileRegion(getenv func(string) string, profile string) (region, from string) {
	for _, file := range sharedFiles(getenv) {
		content, err := os.ReadFile(file.path)
		if err != nil {
			continue // no such file is how most machines are; others the CDK reports itself
		}
		if region := regionIn(string(content), file.section(profile)); region != "" {
			return region, fmt.Sprintf("the region of profile %s in %s", profile, file.path)
		}
	}
	return "", ""
}

// sharedFile is one of the two files that AWS's tools share.
type sharedFile struct {
	path string
	// credentials says which of the two: its sections are called differently.
	credentials bool
}

func (f sharedFile) section(profile string) string {
	if f.credentials || profile == "default" {
		return profile
	}
	return "profile " + profile
}

func sharedFiles(getenv func(string) string) []sharedFile {
	path := func(variable, name string) string {
		if path := getenv(variable); path != "" {
			return path
		}
		return filepath.Join(getenv("HOME"), ".aws", name)
	}
	return []sharedFile{
		{path: path("AWS_CONFIG_FILE", "config")},
		{path: path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), credentials: true},
	}
}

// noProfile says that a profile is in neither of the shared files, and is empty if it is, or if none is named.
func noProfile(getenv func(string) string, profile string) string {
	if profile == "" {
		return ""
	}
	files := sharedFiles(getenv)
	for _, file := range files {
		content, err := os.ReadFile(file.path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if sectionOf(line) == file.section(profile) {
				return ""
			}
		}
	}
	return fmt.Sprintf("There is no profile %s in %s or %s: check AWS_PROFILE, or unset it, then repeat.", profile, files[0].path, files[1].path)
}

// sectionOf is the name of the section that a line begins, empty if it begins none.
func sectionOf(line string) string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "[") {
		return ""
	}
	name, _, _ := strings.Cut(line[1:], "]")
	return strings.Join(strings.Fields(name), " ")
}

// regionIn reads the region in a section of a shared file's text.
func regionIn(content, section string) string {
	inSection := false
	for line := range strings.Lines(content) {
		if begins := sectionOf(line); begins != "" {
			inSection = begins == section
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if inSection && ok && strings.TrimSpace(name) == "region" {
			value, _, _ = strings.Cut(value, " #")
			return strings.TrimSpace(value)
		}
	}
	return ""
}
