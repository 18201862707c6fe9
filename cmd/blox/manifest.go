package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/blox/blox/client"
)

// manifest is an environment as a file describes it. The names are those of the API's EnvironmentDefinition, which it
// becomes by way of JSON; cluster alone is a short form of instanceGroup.cluster.
type manifest struct {
	Name                    string                 `yaml:"name" json:"name"`
	Cluster                 string                 `yaml:"cluster" json:"-"`
	Clusters                []string               `yaml:"clusters" json:"clusters,omitempty"`
	ClusterPattern          string                 `yaml:"clusterPattern" json:"clusterPattern,omitempty"`
	InstanceGroup           *manifestGroup         `yaml:"instanceGroup" json:"instanceGroup,omitempty"`
	TaskDefinition          string                 `yaml:"taskDefinition" json:"taskDefinition"`
	CopyTaskDefinition      bool                   `yaml:"copyTaskDefinition" json:"copyTaskDefinition,omitempty"`
	LaunchType              string                 `yaml:"launchType" json:"launchType,omitempty"`
	NetworkConfiguration    *manifestNetwork       `yaml:"networkConfiguration" json:"networkConfiguration,omitempty"`
	Overrides               map[string]any         `yaml:"overrides" json:"overrides,omitempty"`
	EnableExecuteCommand    bool                   `yaml:"enableExecuteCommand" json:"enableExecuteCommand,omitempty"`
	EnableECSManagedTags    bool                   `yaml:"enableECSManagedTags" json:"enableECSManagedTags,omitempty"`
	PropagateTags           string                 `yaml:"propagateTags" json:"propagateTags,omitempty"`
	Tags                    map[string]string      `yaml:"tags" json:"tags,omitempty"`
	ReadinessAttribute      string                 `yaml:"readinessAttribute" json:"readinessAttribute,omitempty"`
	DrainPriority           *whole                 `yaml:"drainPriority" json:"drainPriority,omitempty"`
	ReleaseIdleHosts        bool                   `yaml:"releaseIdleHosts" json:"releaseIdleHosts,omitempty"`
	MigrateFrom             string                 `yaml:"migrateFrom" json:"migrateFrom,omitempty"`
	DeploymentConfiguration *manifestConfiguration `yaml:"deploymentConfiguration" json:"deploymentConfiguration,omitempty"`
}

type manifestGroup struct {
	Cluster    string   `yaml:"cluster" json:"cluster,omitempty"`
	Expression string   `yaml:"expression" json:"expression,omitempty"`
	Exclude    []string `yaml:"exclude" json:"exclude,omitempty"`
}

type manifestNetwork struct {
	Subnets        []string `yaml:"subnets" json:"subnets,omitempty"`
	SecurityGroups []string `yaml:"securityGroups" json:"securityGroups,omitempty"`
}

type manifestConfiguration struct {
	Method                  string           `yaml:"method" json:"method,omitempty"`
	MinimumHealthyPercent   *whole           `yaml:"minimumHealthyPercent" json:"minimumHealthyPercent,omitempty"`
	MaxUnavailable          amount           `yaml:"maxUnavailable" json:"maxUnavailable,omitempty"`
	MaxSurge                amount           `yaml:"maxSurge" json:"maxSurge,omitempty"`
	MinHealthySeconds       *whole           `yaml:"minHealthySeconds" json:"minHealthySeconds,omitempty"`
	HostDeadlineSeconds     *whole           `yaml:"hostDeadlineSeconds" json:"hostDeadlineSeconds,omitempty"`
	ProgressDeadlineSeconds *whole           `yaml:"progressDeadlineSeconds" json:"progressDeadlineSeconds,omitempty"`
	BakeSeconds             *whole           `yaml:"bakeSeconds" json:"bakeSeconds,omitempty"`
	Canary                  *manifestCanary  `yaml:"canary" json:"canary,omitempty"`
	Alarms                  []string         `yaml:"alarms" json:"alarms,omitempty"`
	CircuitBreaker          *manifestBreaker `yaml:"circuitBreaker" json:"circuitBreaker,omitempty"`
}

type manifestCanary struct {
	Hosts               amount `yaml:"hosts" json:"hosts,omitempty"`
	Expression          string `yaml:"expression" json:"expression,omitempty"`
	PromoteAfterSeconds *whole `yaml:"promoteAfterSeconds" json:"promoteAfterSeconds,omitempty"`
}

type manifestBreaker struct {
	Enable    *bool  `yaml:"enable" json:"enable,omitempty"`
	Rollback  *bool  `yaml:"rollback" json:"rollback,omitempty"`
	Threshold amount `yaml:"threshold" json:"threshold,omitempty"`
}

// check says everything that is missing; whether the values are good, the API knows.
func (m manifest) check() error {
	var missing []string
	if m.Name == "" {
		missing = append(missing, "name is missing")
	}
	places := 0
	for _, given := range []bool{
		m.Cluster != "", len(m.Clusters) > 0, m.ClusterPattern != "", m.InstanceGroup != nil && m.InstanceGroup.Cluster != "",
	} {
		if given {
			places++
		}
	}
	if places != 1 {
		missing = append(missing, "give cluster, clusters, clusterPattern or instanceGroup.cluster, and not more than one of them")
	}
	if m.TaskDefinition == "" {
		missing = append(missing, "taskDefinition is missing")
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New(strings.Join(missing, "; "))
}

// definition is the manifest as the API takes it. baseRevision is the revision that it was made from, and nil asks for
// no check of that.
func (m manifest) definition(baseRevision *int) (client.EnvironmentDefinition, error) {
	if m.Cluster != "" {
		group := manifestGroup{}
		if m.InstanceGroup != nil {
			group = *m.InstanceGroup
		}
		group.Cluster = m.Cluster
		m.InstanceGroup = &group
	}
	var d client.EnvironmentDefinition
	raw, err := json.Marshal(m)
	if err != nil {
		return d, fmt.Errorf("encoding environment %s: %w", m.Name, err)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("environment %s: %w", m.Name, err)
	}
	d.BaseRevision = baseRevision
	return d, nil
}
