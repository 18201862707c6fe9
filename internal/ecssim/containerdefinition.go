package ecssim

import (
	"encoding/json"
	"slices"
)

type containerDefinition struct {
	Name              string        `json:"name"`
	Image             string        `json:"image"`
	CPU               int           `json:"cpu"`
	Memory            *int          `json:"memory"`
	MemoryReservation *int          `json:"memoryReservation"`
	Essential         *bool         `json:"essential"`
	PortMappings      []portMapping `json:"portMappings"`
	StopTimeout       *int          `json:"stopTimeout"` // seconds
	HealthCheck       *struct{}     `json:"healthCheck"`
	LogConfiguration  *struct {
		LogDriver string `json:"logDriver"`
	} `json:"logConfiguration"`
	Privileged           bool                  `json:"privileged"`
	ResourceRequirements []resourceRequirement `json:"resourceRequirements"`
}

type resourceRequirement struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type portMapping struct {
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Protocol      string `json:"protocol"`
}

func (c *containerDefinition) essential() bool { return c.Essential == nil || *c.Essential }

func (d *taskDefinition) parseContainers(raw []json.RawMessage) error {
	filled := make([]map[string]json.RawMessage, len(raw))
	for i, text := range raw {
		var c containerDefinition
		if err := decode(text, &c); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &filled[i]); err != nil {
			return clientError("containerDefinitions[%d] is not an object.", i)
		}
		if c.Name == "" || c.Image == "" {
			return clientError("Container.name and Container.image should not be null or empty.")
		}
		if slices.ContainsFunc(d.containers, func(x containerDefinition) bool { return x.Name == c.Name }) {
			return clientError("Container names must be unique: %q is given twice.", c.Name)
		}
		if c.Memory == nil && c.MemoryReservation == nil && d.memory == 0 {
			return clientError("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", c.Name)
		}
		if err := d.fillPorts(&c); err != nil {
			return err
		}
		if err := fillDefaults(filled[i], &c); err != nil {
			return err
		}
		d.containers = append(d.containers, c)
	}
	if !slices.ContainsFunc(d.containers, func(c containerDefinition) bool { return c.essential() }) {
		return clientError("At least one container must be marked as essential.")
	}
	definitions, err := json.Marshal(filled)
	d.members["containerDefinitions"] = definitions
	return err
}

// fillPorts gives each mapping its protocol and, where the container shares the host's network, its host port.
func (d *taskDefinition) fillPorts(c *containerDefinition) error {
	for i := range c.PortMappings {
		p := &c.PortMappings[i]
		if p.Protocol == "" {
			p.Protocol = "tcp"
		}
		if p.Protocol != "tcp" && p.Protocol != "udp" {
			return clientError("container %q: protocol %q, expected tcp or udp.", c.Name, p.Protocol)
		}
		if p.ContainerPort < 1 || p.ContainerPort > 65535 || p.HostPort < 0 || p.HostPort > 65535 {
			return clientError("container %q: port %d to host port %d, ports are between 1 and 65535 (host port 0 takes any).", c.Name, p.ContainerPort, p.HostPort)
		}
		if d.networkMode == "host" || d.networkMode == "awsvpc" {
			if p.HostPort != 0 && p.HostPort != p.ContainerPort {
				return clientError("When networkMode=%s, the host ports and container ports in port mappings must match.", d.networkMode)
			}
			p.HostPort = p.ContainerPort
		}
	}
	return nil
}

// fillDefaults writes what ECS adds to a container definition into the copy that Describe gives back.
func fillDefaults(members map[string]json.RawMessage, c *containerDefinition) error {
	for name, text := range map[string]string{
		"cpu": "0", "essential": "true", "environment": "[]", "mountPoints": "[]", "volumesFrom": "[]", "systemControls": "[]",
	} {
		if _, given := members[name]; !given {
			members[name] = json.RawMessage(text)
		}
	}
	var given []map[string]any
	if text, found := members["portMappings"]; found {
		if err := json.Unmarshal(text, &given); err != nil {
			return clientError("container %q: portMappings is not a list of objects.", c.Name)
		}
	}
	ports := make([]map[string]any, len(c.PortMappings))
	for i, p := range c.PortMappings {
		ports[i] = given[i]
		ports[i]["protocol"], ports[i]["hostPort"], ports[i]["containerPort"] = p.Protocol, p.HostPort, p.ContainerPort
	}
	text, err := json.Marshal(ports)
	members["portMappings"] = text
	return err
}
