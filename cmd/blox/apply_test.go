package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestApply(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText)).succeeds("environment log-agent created; start its tasks with: blox deploy log-agent\n")
	s.run("apply -f " + s.file(manifestText)).succeeds("environment log-agent unchanged, revision 1\n")
	s.stdin = `{"name": "log-agent", "cluster": "edge", "taskDefinition": "log-agent:13"}`
	s.run("apply -f -").succeeds("environment log-agent updated to revision 2; bring it to the hosts with: blox deploy log-agent\n")
	s.run("apply -f " + s.file(manifestText+"---\nname: two\ncluster: edge\ntaskDefinition: a:1\n")).succeeds(
		"environment log-agent updated to revision 3; bring it to the hosts with: blox deploy log-agent\n" +
			"environment two created; start its tasks with: blox deploy two\n")
}

func TestApplyRefusesBadFiles(t *testing.T) {
	for about, test := range map[string]struct {
		text string
		want []string
	}{
		"no YAML":            {"name: [", []string{"environment.yaml"}},
		"a field misspelled": {manifestText + "taskDefiniton: x", []string{"unknown field", "taskDefiniton"}},
		"one below":          {manifestText + "  minHealthySecs: 3", []string{"unknown field", "minHealthySecs"}},
		"a field twice":      {manifestText + "name: other", []string{"name", "already defined"}},
		"a wrong type":       {"name: log-agent\ncluster: {a: b}\ntaskDefinition: a:1", []string{"line 2, column 10: cluster must be text; see"}},
		"all missing":        {"launchType: EC2", []string{"name is missing; give cluster, clusters, clusterPattern or instanceGroup.cluster, and not more than one of them; taskDefinition is missing"}},
		"cluster twice":      {"name: a\ncluster: b\nclusters: [c]\ntaskDefinition: a:1", []string{"not more than one of them"}},
		"nothing":            {"", []string{"there is no environment in it"}},
		"bad values":         {"name: a b\ncluster: edge\ntaskDefinition: a:1\nlaunchType: FARGATE", []string{"body.launchType", "EC2, EXTERNAL"}},
		"too large":          {"#" + strings.Repeat("x", 256<<10), []string{"too large"}},
		"too many":           {strings.Repeat(manifestText+"---\n", 101), []string{"more than 100"}},
	} {
		t.Run(about, func(t *testing.T) {
			s := newSession(t)
			got := s.run("apply -f " + s.file(test.text))
			require.Equal(t, exitUsage, got.code, got.stderr)
			for _, part := range test.want {
				require.Contains(t, got.stderr, part)
			}
			require.Empty(t, got.stdout)
			require.Contains(t, s.run("get environments").stderr, "nothing found")
		})
	}
}

func TestApplySaysWhichTypeAFieldHas(t *testing.T) {
	for text, want := range map[string]string{
		"name: [a]":                  "line 1, column 7: name must be text",
		"cluster:\n  name: b":        "cluster must be text",
		"clusters: edge":             "line 1, column 11: clusters must be a list of texts, such as [edge, core]",
		"clusters: {a: b}":           "clusters must be a list of texts",
		"clusters:\n  a: b":          "clusters must be a list of texts",
		"clusters: [a, {b: c}]":      "clusters must be a list of texts",
		"clusters:\n- a\n- {b: c}":   "clusters must be a list of texts",
		"deploymentConfiguration: x": "deploymentConfiguration must be fields of its own, such as minimumHealthyPercent and minHealthySeconds",
		"deploymentConfiguration:\n  minHealthySeconds: soon":                "line 2, column 22: minHealthySeconds must be a whole number",
		"deploymentConfiguration:\n  minHealthySeconds: 1.5":                 "line 2, column 22: minHealthySeconds must be a whole number",
		"deploymentConfiguration:\n  maxUnavailable: 1.5":                    "line 2, column 19: maxUnavailable must be a number of hosts, such as 3, or a percentage of them, such as 25%",
		"deploymentConfiguration: {maxSurge: [1]}":                           "maxSurge must be a number of hosts",
		"deploymentConfiguration: {canary: 3}":                               "canary must be fields of its own: hosts or expression",
		"deploymentConfiguration: {circuitBreaker: {enable: yes}}":           "enable must be true or false",
		"deploymentConfiguration: {alarms: high}":                            "alarms must be a list of texts",
		"instanceGroup: {exclude: i-1}":                                      "exclude must be a list of EC2 instance ids",
		"copyTaskDefinition: 1":                                              "copyTaskDefinition must be true or false",
		"drainPriority: first":                                               "drainPriority must be a whole number",
		"tags: [a]":                                                          "tags must be names with texts",
		"overrides: text":                                                    "overrides must be fields of its own",
		"deploymentConfiguration: {minimumHealthyPercent: [1]}":              "minimumHealthyPercent must be a whole number",
		"deploymentConfiguration: {minHealthySeconds: 99999999999999999999}": "minHealthySeconds must be a whole number",
		"just text":                  "line 1, column 1: an environment is fields, such as name: log-agent",
		"- a\n- b":                   "an environment is fields",
		manifestText + "---\n- name": "an environment is fields",
	} {
		s := newSession(t)
		s.stdin = text
		got := s.run("apply -f -")
		got.fails(exitUsage, "blox: standard input: line ", want)
		require.NotContains(t, got.stderr, "Go ", text)
	}
}

func TestApplySaysWhichEnvironmentFailed(t *testing.T) {
	document := func(name, cluster, taskDefinition string) string {
		return "---\nname: " + name + "\ncluster: " + cluster + "\ntaskDefinition: " + taskDefinition + "\n"
	}
	s := newSession(t)
	got := s.run("apply -f " + s.file(document("one", "edge", "a:1")+document("two", "edge", "b:1")+document("three", "edge", "nope:1")+document("four", "edge", "d:1")))
	require.Equal(t, exitNotFound, got.code)
	require.Equal(t, "blox: environment three: task definition nope:1 does not exist in account 210987654321, region eu-west-1; "+
		"applied before it: one, two; not applied: the 1 after it\n", got.stderr)
	s.run("get environments two").golden("get-environment-applied")
	s.run("get environment four").fails(exitNotFound)

	got = s.run("apply -f " + s.file(document("five", "nope", "a:1")))
	got.fails(exitNotFound, "environment five: cluster arn:aws:ecs:eu-west-1:210987654321:cluster/nope does not exist\n")
	s.run("apply -f "+s.file(document("six", "edge", "a b"))).fails(exitUsage, "environment six: body.taskDefinition: invalid task definition")
	s.run("apply -f "+s.file(document("six", "edge", "a:1")+document("seven", "edge", `""`))).fails(exitUsage, "environment 2 seven: taskDefinition is missing")
	s.run("get environment nope").fails(exitNotFound, "blox get lists what there is")
}
