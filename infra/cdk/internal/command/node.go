package command

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// leastNode is the oldest Node.js that the pinned CDK runs on: its own lower bound says 18, the SDK inside it 20.
const leastNode = 20

var nodePattern = regexp.MustCompile(`^v(\d+)\.\d+\.\d+`)

const nodeAdvice = "install version 20 or newer ('apt-get install nodejs npm', 'brew install node' or https://nodejs.org/), then repeat."

// CheckNode refuses a version, as `node --version` prints it, that the CDK does not run on.
func CheckNode(version string) (major int, err error) {
	version = strings.TrimSpace(version)
	match := nodePattern.FindStringSubmatch(version)
	if match == nil {
		return 0, Problem(fmt.Sprintf("'node --version' says %q, which is no version of Node.js: %s", version, nodeAdvice))
	}
	major, err = strconv.Atoi(match[1])
	if err != nil || major < leastNode {
		return 0, Problem(fmt.Sprintf("Node.js %s is not supported by the AWS CDK: %s", strings.TrimPrefix(version, "v"), nodeAdvice))
	}
	return major, nil
}
