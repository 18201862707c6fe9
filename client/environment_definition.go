package client

import "encoding/json"

// EnvironmentDefinition is what an environment is to be: the body of a create, and with BaseRevision of an update. What is
// left out is the default, also in an update: a definition is whole.
type EnvironmentDefinition struct {
	Name           string         `json:"name,omitempty" pattern:"^[a-zA-Z0-9_-]{1,30}$" patternDescription:"1 to 30 letters, digits, hyphens or underscores" doc:"1 to 30 letters, digits, hyphens or underscores; unique."`
	InstanceGroup  *InstanceGroup `json:"instanceGroup,omitempty" doc:"Where the hosts are: a cluster, and which of its hosts. The cluster is given here, or as clusters or clusterPattern."`
	Clusters       []string       `json:"clusters,omitempty" nullable:"false" minItems:"1" maxItems:"50" doc:"Where the hosts are: clusters by name or ARN, of one account and region. Give this, instanceGroup.cluster or clusterPattern."`
	ClusterPattern string         `json:"clusterPattern,omitempty" minLength:"1" maxLength:"2048" doc:"Where the hosts are: all clusters whose name matches, with * for any characters and ? for one, those that come later included. An ARN with such a name means another account or region. Give this, instanceGroup.cluster or clusters."`
	TaskDefinition string         `json:"taskDefinition" minLength:"1" maxLength:"2048" doc:"FAMILY, FAMILY:REVISION or ARN. A family alone is resolved once, to its newest revision."`
	// CopyTaskDefinition protects from tools that deregister old task definitions: an INACTIVE one cannot be run.
	CopyTaskDefinition bool   `json:"copyTaskDefinition,omitempty" doc:"Run a copy of the task definition, of the family blox-NAME, that nobody else deregisters. One of the same content is used again."`
	LaunchType         string `json:"launchType,omitempty" enum:"EC2,EXTERNAL" doc:"EC2 if not given."`

	NetworkConfiguration *NetworkConfiguration `json:"networkConfiguration,omitempty" doc:"Needed by task definitions of network mode awsvpc, and only by those."`
	Overrides            json.RawMessage       `json:"overrides,omitempty" doc:"ECS's taskOverride: containerOverrides, cpu, memory, taskRoleArn and executionRoleArn; at most 8192 characters."`
	EnableExecuteCommand bool                  `json:"enableExecuteCommand,omitempty" doc:"Let people run commands in the tasks (ECS Exec)."`
	EnableECSManagedTags bool                  `json:"enableECSManagedTags,omitempty" doc:"Let ECS tag the tasks with their cluster."`
	PropagateTags        string                `json:"propagateTags,omitempty" enum:"TASK_DEFINITION" doc:"Give the tasks their task definition's tags."`
	Tags                 map[string]string     `json:"tags,omitempty" doc:"Tags of the tasks: at most 50; keys of 1 to 128 characters that do not begin with aws:, values of at most 256."`

	DeploymentConfiguration *DeploymentConfiguration `json:"deploymentConfiguration,omitempty"`

	ReadinessAttribute string `json:"readinessAttribute,omitempty" minLength:"1" maxLength:"128" doc:"A custom attribute that a host carries with the value ready while its daemon is healthy, for placement constraints such as attribute:NAME == ready. 1 to 128 letters, digits, hyphens, underscores, slashes or periods."`
	DrainPriority      int    `json:"drainPriority,omitempty" minimum:"-1000" maximum:"1000" doc:"Orders the daemons of a draining host: the lowest is stopped first."`
	ReleaseIdleHosts   bool   `json:"releaseIdleHosts,omitempty" doc:"Stop the daemon on hosts that nothing but daemons keep alive, so that they can be scaled in, and start it again when other tasks come."`
	MigrateFrom        string `json:"migrateFrom,omitempty" maxLength:"255" doc:"Name of the ECS DAEMON service that the daemon takes over from, host by host. The service needs the placement constraint memberOf(not(attribute:blox.handover exists))."`

	BaseRevision *int `json:"baseRevision,omitempty" minimum:"0" doc:"Updates only: the revision that this update is made from, 0 if the environment is to be new. If it is not the newest any more, the update is refused."`
}

// InstanceGroup says where an environment's hosts are, and which they are.
type InstanceGroup struct {
	Cluster    string   `json:"cluster,omitempty" minLength:"1" maxLength:"2048" doc:"A cluster's name or ARN; answers give the ARN of the first cluster."`
	Expression string   `json:"expression,omitempty" minLength:"1" doc:"Only hosts that match, in ECS's cluster query language, such as attribute:ecs.instance-type =~ m5.*; at most 2000 characters."`
	Exclude    []string `json:"exclude,omitempty" nullable:"false" maxItems:"1000" doc:"EC2 instance ids (i-…, mi-…) of hosts that get no daemon."`
}

// NetworkConfiguration is ECS's awsvpcConfiguration.
type NetworkConfiguration struct {
	Subnets        []string `json:"subnets" nullable:"false" minItems:"1" maxItems:"16"`
	SecurityGroups []string `json:"securityGroups,omitempty" nullable:"false" maxItems:"5"`
}

// The methods of a DeploymentConfiguration.
const (
	MethodTerminateThenReplace = "terminateThenReplace"
	MethodReplaceThenTerminate = "replaceThenTerminate"
	MethodOnDelete             = "onDelete"
)

// DeploymentConfiguration bounds a rollout. In answers it says what is in force; in requests what is left out is the default.
type DeploymentConfiguration struct {
	Method                  string          `json:"method,omitempty" enum:"terminateThenReplace,replaceThenTerminate,onDelete" doc:"terminateThenReplace (if not given) stops a host's old task and starts the new one when it has stopped; replaceThenTerminate starts the new one beside it first, which static host ports forbid; onDelete replaces nothing: hosts get the revision when their old task ends for another reason."`
	MinimumHealthyPercent   *int            `json:"minimumHealthyPercent,omitempty" minimum:"0" maximum:"100" doc:"Percentage of the hosts that keep a healthy daemon during a rollout; at least one host may always be replaced. 50 if neither this nor maxUnavailable is given."`
	MaxUnavailable          Amount          `json:"maxUnavailable,omitempty" doc:"In place of minimumHealthyPercent: how many hosts may be without a healthy daemon by the rollout's own doing, as a number or a percentage, rounded down to at least one host."`
	MaxSurge                Amount          `json:"maxSurge,omitempty" doc:"replaceThenTerminate only: how many hosts may have two tasks at once, as a number or a percentage, rounded up. 25% if not given."`
	MinHealthySeconds       *int            `json:"minHealthySeconds,omitempty" minimum:"0" maximum:"3600" doc:"How long a daemon must have been healthy before it counts. 10 if not given."`
	HostDeadlineSeconds     int             `json:"hostDeadlineSeconds,omitempty" minimum:"0" maximum:"86400" doc:"How long a host may take until its new daemon counts; one that takes longer has failed. More than minHealthySeconds; 600 more if not given, or 0."`
	ProgressDeadlineSeconds int             `json:"progressDeadlineSeconds,omitempty" minimum:"0" maximum:"86400" doc:"How long a deployment may go without one more host updated before it fails; 0 is never."`
	BakeSeconds             int             `json:"bakeSeconds,omitempty" minimum:"0" maximum:"86400" doc:"How long a deployment is watched after its last host was updated, before it counts as completed."`
	Canary                  *Canary         `json:"canary,omitempty" doc:"Hosts that get a revision first. The deployment then waits to be promoted."`
	Alarms                  []string        `json:"alarms,omitempty" nullable:"false" maxItems:"10" doc:"Names of CloudWatch alarms of the clusters' account and region: one in ALARM fails the deployment. Its hosts then wait, or are rolled back."`
	CircuitBreaker          *CircuitBreaker `json:"circuitBreaker,omitempty" doc:"Ends a deployment that too many hosts failed under."`
}

// Canary is the part of the hosts that gets a revision first: Hosts or Expression.
type Canary struct {
	Hosts               Amount `json:"hosts,omitempty" doc:"How many hosts, as a number or a percentage, rounded up. Give this or expression."`
	Expression          string `json:"expression,omitempty" doc:"Which hosts, in ECS's cluster query language. Give this or hosts."`
	PromoteAfterSeconds int    `json:"promoteAfterSeconds,omitempty" minimum:"0" maximum:"86400" doc:"Go on with the rest by itself when the canaries have been healthy for that long; 0 waits for promote."`
}

// CircuitBreaker fails a deployment when too many hosts failed under it. In requests nil is true.
type CircuitBreaker struct {
	Enable    *bool  `json:"enable,omitempty" doc:"true if not given."`
	Rollback  *bool  `json:"rollback,omitempty" doc:"Roll a failed deployment back to the last good revision, if there is one; true if not given."`
	Threshold Amount `json:"threshold,omitempty" doc:"How many failed hosts trip it, as a number or a percentage, rounded up, to at most 200 hosts. 10% if not given."`
}

// Amount is a number of hosts ("3") or a percentage of them ("25%"). In JSON it may be a number, too. Empty is not given.
type Amount string

// UnmarshalJSON takes text and numbers as they are; what they may be, the API knows.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		text = string(data)
	}
	*a = Amount(text)
	return nil
}
