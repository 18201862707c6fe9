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
	files := []struct{ variable, name string }{
		{"AWS_CONFIG_FILE", "config"},
		{"AWS_SHARED_CREDENTIALS_FILE", "credentials"},
	}
	for _, file := range files {
		path := getenv(file.variable)
		if path == "" {
			path = filepath.Join(getenv("HOME"), ".aws", file.name)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			continue // no such file is how most machines are; others the CDK reports itself
		}
		section := "profile " + profile
		if file.name == "credentials" || profile == "default" {
			section = profile
		}
		if region := regionIn(string(content), section); region != "" {
			return region, fmt.Sprintf("the region of profile %s in %s", profile, path)
		}
	}
	return "", ""
}

// regionIn reads the region in a section of a shared file's text.
func regionIn(content, section string) string {
	inSection := false
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inSection = strings.Join(strings.Fields(strings.Trim(line, "[]")), " ") == section
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
