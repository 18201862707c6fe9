package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyField is a manifest in which nothing is left out.
const everyField = `
name: log-agent
clusterPattern: edge*
instanceGroup:
  expression: attribute:ecs.instance-type =~ m7i.*
  exclude: [i-0a1b2c3d, mi-0a1b2c3d4e5f60718]
taskDefinition: log-agent:12
copyTaskDefinition: true
launchType: EC2
networkConfiguration:
  subnets: [subnet-1]
  securityGroups: [sg-1, sg-2]
overrides:
  containerOverrides:
  - name: log-agent
    memory: 256
    environment: [{name: LEVEL, value: debug}]
enableExecuteCommand: true
enableECSManagedTags: true
propagateTags: TASK_DEFINITION
tags: {team: platform, "cost center": "42"}
readinessAttribute: blox.log-agent
drainPriority: -5
releaseIdleHosts: true
migrateFrom: log-agent
deploymentConfiguration:
  method: replaceThenTerminate
  minimumHealthyPercent: 0
  maxUnavailable: 3
  maxSurge: 25%
  minHealthySeconds: 0
  hostDeadlineSeconds: 300
  progressDeadlineSeconds: 3600
  bakeSeconds: 60
  canary: {hosts: "2", expression: attribute:canary exists, promoteAfterSeconds: 600}
  alarms: [errors, latency]
  circuitBreaker: {enable: true, rollback: false, threshold: 10%}
`

func TestEveryFieldOfAManifestReachesTheAPI(t *testing.T) {
	manifests, err := parseManifests([]byte(everyField))
	require.NoError(t, err)
	require.Len(t, manifests, 1)
	base := 7
	definition, err := manifests[0].definition(&base)
	require.NoError(t, err)
	sent, err := json.Marshal(definition)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"name": "log-agent", "clusterPattern": "edge*",
		"instanceGroup": {"expression": "attribute:ecs.instance-type =~ m7i.*", "exclude": ["i-0a1b2c3d", "mi-0a1b2c3d4e5f60718"]},
		"taskDefinition": "log-agent:12", "copyTaskDefinition": true, "launchType": "EC2",
		"networkConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1", "sg-2"]},
		"overrides": {"containerOverrides": [{"name": "log-agent", "memory": 256, "environment": [{"name": "LEVEL", "value": "debug"}]}]},
		"enableExecuteCommand": true, "enableECSManagedTags": true, "propagateTags": "TASK_DEFINITION",
		"tags": {"team": "platform", "cost center": "42"},
		"readinessAttribute": "blox.log-agent", "drainPriority": -5, "releaseIdleHosts": true, "migrateFrom": "log-agent",
		"deploymentConfiguration": {
			"method": "replaceThenTerminate", "minimumHealthyPercent": 0, "maxUnavailable": "3", "maxSurge": "25%",
			"minHealthySeconds": 0, "hostDeadlineSeconds": 300, "progressDeadlineSeconds": 3600, "bakeSeconds": 60,
			"canary": {"hosts": "2", "expression": "attribute:canary exists", "promoteAfterSeconds": 600},
			"alarms": ["errors", "latency"], "circuitBreaker": {"enable": true, "rollback": false, "threshold": "10%"}
		},
		"baseRevision": 7
	}`, string(sent))
}

func TestWhatAManifestLeavesOutIsLeftToTheAPI(t *testing.T) {
	manifests, err := parseManifests([]byte("name: a\ncluster: edge\ntaskDefinition: b:1\ninstanceGroup: {exclude: [i-1]}"))
	require.NoError(t, err)
	definition, err := manifests[0].definition(nil)
	require.NoError(t, err)
	sent, err := json.Marshal(definition)
	require.NoError(t, err)
	require.JSONEq(t, `{"name": "a", "taskDefinition": "b:1", "instanceGroup": {"cluster": "edge", "exclude": ["i-1"]}}`, string(sent))
}
