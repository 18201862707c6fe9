package ecssim

import (
	"encoding/json"
	"slices"
	"strconv"
)

const maxOverrideBytes = 8192

// taskOverride is what a caller changes of a task definition for one task. It is shown as ECS shows it: one entry for
// each container, and for the members the simulator does not use, what was given.
type taskOverride struct {
	ContainerOverrides            []containerOverride `json:"containerOverrides"`
	InferenceAcceleratorOverrides []struct{}          `json:"inferenceAcceleratorOverrides"`
	CPU                           string              `json:"cpu,omitempty"`
	Memory                        string              `json:"memory,omitempty"`
	TaskRoleArn                   string              `json:"taskRoleArn,omitempty"`
	ExecutionRoleArn              string              `json:"executionRoleArn,omitempty"`
	EphemeralStorage              json.RawMessage     `json:"ephemeralStorage,omitempty"`
}

type containerOverride struct {
	Name                 string          `json:"name"`
	Command              []string        `json:"command,omitempty"`
	Environment          []keyValuePair  `json:"environment,omitempty"`
	EnvironmentFiles     json.RawMessage `json:"environmentFiles,omitempty"`
	CPU                  *int            `json:"cpu,omitempty"`
	Memory               *int            `json:"memory,omitempty"`
	MemoryReservation    *int            `json:"memoryReservation,omitempty"`
	ResourceRequirements json.RawMessage `json:"resourceRequirements,omitempty"`
}

// complete checks an override against its definition and gives every container its entry.
func (o *taskOverride) complete(d *taskDefinition) (*taskOverride, error) {
	full := &taskOverride{ContainerOverrides: []containerOverride{}, InferenceAcceleratorOverrides: []struct{}{}}
	if o != nil {
		size, err := json.Marshal(o)
		if err != nil || len(size) > maxOverrideBytes {
			return nil, invalid("overrides: %d characters, at most %d are allowed.", len(size), maxOverrideBytes)
		}
		*full = *o
		full.InferenceAcceleratorOverrides = []struct{}{}
		full.ContainerOverrides = slices.Clone(o.ContainerOverrides)
	}
	for _, c := range full.ContainerOverrides {
		if !slices.ContainsFunc(d.containers, func(x containerDefinition) bool { return x.Name == c.Name }) {
			return nil, invalid("Override for container named %s is not a container in the TaskDefinition.", c.Name)
		}
	}
	for _, c := range d.containers {
		if !slices.ContainsFunc(full.ContainerOverrides, func(x containerOverride) bool { return x.Name == c.Name }) {
			full.ContainerOverrides = append(full.ContainerOverrides, containerOverride{Name: c.Name})
		}
	}
	return full, nil
}

// limits are a container's CPU, memory and memory reservation after the override.
func (o *taskOverride) limits(c *containerDefinition) (cpu int, memory, reservation *int) {
	cpu, memory, reservation = c.CPU, c.Memory, c.MemoryReservation
	for _, x := range o.ContainerOverrides {
		if x.Name != c.Name {
			continue
		}
		if x.CPU != nil {
			cpu = *x.CPU
		}
		if x.Memory != nil {
			memory = x.Memory
		}
		if x.MemoryReservation != nil {
			reservation = x.MemoryReservation
		}
	}
	return cpu, memory, reservation
}

// need adds up what a task of this definition takes of a host: the task's own size if it has one, else that of its
// containers, where the reservation is what counts.
func (o *taskOverride) need(d *taskDefinition) (*need, error) {
	n := &need{attributes: d.requires, launchType: launchEC2}
	if d.networkMode == "awsvpc" {
		n.interfaces = 1
	}
	for i := range d.containers {
		c := &d.containers[i]
		cpu, memory, reservation := o.limits(c)
		n.cpu += cpu
		switch {
		case reservation != nil:
			n.memory += *reservation
		case memory != nil:
			n.memory += *memory
		}
		for _, r := range c.ResourceRequirements {
			if r.Type != "GPU" {
				continue
			}
			count, err := strconv.Atoi(r.Value)
			if err != nil {
				return nil, invalid("resourceRequirements: %q is not a number of GPUs.", r.Value)
			}
			n.gpus += count
		}
		if d.networkMode == "awsvpc" || d.networkMode == "none" {
			continue
		}
		for _, p := range c.PortMappings {
			if p.HostPort != 0 {
				n.ports = append(n.ports, port{p.HostPort, p.Protocol == "udp"})
			}
		}
	}
	cpu, err := parseUnits("cpu", o.CPU, "vcpu")
	if err != nil {
		return nil, err
	}
	memory, err := parseUnits("memory", o.Memory, "gb")
	if err != nil {
		return nil, err
	}
	for _, size := range []int{d.cpu, cpu} {
		if size > 0 {
			n.cpu = size
		}
	}
	for _, size := range []int{d.memory, memory} {
		if size > 0 {
			n.memory = size
		}
	}
	return n, nil
}
