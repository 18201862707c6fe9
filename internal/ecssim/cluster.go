package ecssim

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

type cluster struct {
	sim      *Simulator
	name     string
	arn      string
	status   string // ACTIVE, INACTIVE
	settings json.RawMessage
	tags     tags

	hostByID map[string]*host
	hosts    sequence[*host]
	taskByID map[string]*task
	live     sequence[*task] // not STOPPED yet
	stopped  sequence[*task]
	tokens   map[string]*launch // RunTask's clientToken
	services map[string]*service
}

const defaultCluster = "default"

var clusterNames = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// cluster finds an active cluster by name or ARN; none given means the one called default.
func (s *Simulator) cluster(ref string) (*cluster, error) {
	c, found := s.clusters[s.clusterName(ref)]
	if !found || c.status != "ACTIVE" {
		return nil, &apiError{Type: "ClusterNotFoundException", Message: "Cluster not found."}
	}
	return c, nil
}

func (s *Simulator) clusterName(ref string) string {
	if ref == "" {
		return defaultCluster
	}
	if name, isARN := strings.CutPrefix(ref, s.arn("cluster", "")); isARN {
		return name
	}
	return ref
}

func (s *Simulator) newCluster(name string) *cluster {
	c := &cluster{
		sim: s, name: name, arn: s.arn("cluster", name), status: "ACTIVE",
		hostByID: map[string]*host{}, taskByID: map[string]*task{}, tokens: map[string]*launch{}, services: map[string]*service{},
	}
	if old, found := s.clusters[name]; found {
		s.clusterOrder = slices.DeleteFunc(s.clusterOrder, func(x *cluster) bool { return x == old })
	}
	s.clusters[name] = c
	s.clusterOrder = append(s.clusterOrder, c)
	return c
}

// resourceID takes the id out of an id or an ARN of this cluster. A long ARN of another cluster finds nothing here.
func (c *cluster) resourceID(kind, ref string) string {
	if !strings.HasPrefix(ref, "arn:") {
		return ref
	}
	if id, long := strings.CutPrefix(ref, c.sim.arn(kind, c.name+"/")); long {
		return id
	}
	id, _ := strings.CutPrefix(ref, c.sim.arn(kind, ""))
	return id
}

func (c *cluster) host(ref string) *host { return c.hostByID[c.resourceID("container-instance", ref)] }
func (c *cluster) task(ref string) *task { return c.taskByID[c.resourceID("task", ref)] }

// missing is the failure for a name that is not there, spelled as an ARN as ECS does.
func (c *cluster) missing(kind, ref string) failure {
	if !strings.HasPrefix(ref, "arn:") {
		ref = c.sim.arn(kind, c.name+"/"+ref)
	}
	return failure{Arn: ref, Reason: "MISSING"}
}

func (c *cluster) sortedServices() []*service {
	list := make([]*service, 0, len(c.services))
	for _, sv := range c.services {
		list = append(list, sv)
	}
	slices.SortFunc(list, func(a, b *service) int { return cmp.Compare(a.name, b.name) })
	return list
}

type clusterDocument struct {
	ClusterArn                        string          `json:"clusterArn"`
	ClusterName                       string          `json:"clusterName"`
	Status                            string          `json:"status"`
	RegisteredContainerInstancesCount int             `json:"registeredContainerInstancesCount"`
	RunningTasksCount                 int             `json:"runningTasksCount"`
	PendingTasksCount                 int             `json:"pendingTasksCount"`
	ActiveServicesCount               int             `json:"activeServicesCount"`
	Statistics                        []struct{}      `json:"statistics"`
	Tags                              tags            `json:"tags"`
	Settings                          json.RawMessage `json:"settings"`
	CapacityProviders                 []string        `json:"capacityProviders"`
	DefaultCapacityProviderStrategy   []struct{}      `json:"defaultCapacityProviderStrategy"`
}

func (c *cluster) document(include []string) clusterDocument {
	d := clusterDocument{
		ClusterArn: c.arn, ClusterName: c.name, Status: c.status, Statistics: []struct{}{}, Tags: tags{},
		Settings: json.RawMessage("[]"), CapacityProviders: []string{}, DefaultCapacityProviderStrategy: []struct{}{},
	}
	for _, h := range c.hosts {
		if h.status != statusInactive {
			d.RegisteredContainerInstancesCount++
			d.RunningTasksCount += h.running
			d.PendingTasksCount += h.pending
		}
	}
	for _, sv := range c.services {
		if sv.status == "ACTIVE" {
			d.ActiveServicesCount++
		}
	}
	if slices.Contains(include, "TAGS") && c.tags != nil {
		d.Tags = c.tags
	}
	if slices.Contains(include, "SETTINGS") && len(c.settings) > 0 {
		d.Settings = c.settings
	}
	return d
}

type createClusterIn struct {
	ClusterName       string          `json:"clusterName"`
	Tags              tags            `json:"tags"`
	Settings          json.RawMessage `json:"settings"`
	CapacityProviders []string        `json:"capacityProviders"`
}

type clusterOut struct {
	Cluster clusterDocument `json:"cluster"`
}

// createCluster is idempotent for a name that exists, as ECS's is.
func (s *Simulator) createCluster(in *createClusterIn) (*clusterOut, error) {
	name := s.clusterName(in.ClusterName)
	if !clusterNames.MatchString(name) {
		return nil, invalid("clusterName %q: 1 to 255 letters, numbers, underscores and hyphens are allowed.", name)
	}
	if len(in.CapacityProviders) > 0 {
		return nil, invalid("capacityProviders: capacity providers are not simulated.")
	}
	if err := in.Tags.check(); err != nil {
		return nil, err
	}
	c, err := s.cluster(name)
	if err != nil {
		c = s.newCluster(name)
		c.tags, c.settings = in.Tags, in.Settings
	}
	return &clusterOut{c.document([]string{"TAGS", "SETTINGS"})}, nil
}

type deleteClusterIn struct {
	Cluster string `json:"cluster"`
}

func (s *Simulator) deleteCluster(in *deleteClusterIn) (*clusterOut, error) {
	if in.Cluster == "" {
		return nil, invalid("cluster is required.")
	}
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	d := c.document(nil)
	switch {
	case d.RegisteredContainerInstancesCount > 0:
		return nil, &apiError{Type: "ClusterContainsContainerInstancesException", Message: "The Cluster cannot be deleted while Container Instances are active or draining."}
	case d.ActiveServicesCount > 0:
		return nil, &apiError{Type: "ClusterContainsServicesException", Message: "The Cluster cannot be deleted while Services are active."}
	case len(c.live) > 0:
		return nil, &apiError{Type: "ClusterContainsTasksException", Message: "The Cluster cannot be deleted while Tasks are active."}
	}
	c.status = "INACTIVE"
	return &clusterOut{c.document(nil)}, nil
}

type describeClustersIn struct {
	Clusters []string `json:"clusters"`
	Include  []string `json:"include"`
}

type describeClustersOut struct {
	Clusters []clusterDocument `json:"clusters"`
	Failures []failure         `json:"failures"`
}

func (s *Simulator) describeClusters(in *describeClustersIn) (*describeClustersOut, error) {
	refs := in.Clusters
	if len(refs) == 0 {
		refs = []string{defaultCluster}
	}
	if err := checkBatch("Clusters", len(refs), maxPage); err != nil {
		return nil, err
	}
	out := &describeClustersOut{Clusters: []clusterDocument{}, Failures: []failure{}}
	for _, ref := range refs {
		if c, found := s.clusters[s.clusterName(ref)]; found {
			out.Clusters = append(out.Clusters, c.document(in.Include))
			continue
		}
		if !strings.HasPrefix(ref, "arn:") {
			ref = s.arn("cluster", ref)
		}
		out.Failures = append(out.Failures, failure{Arn: ref, Reason: "MISSING"})
	}
	return out, nil
}

type listClustersOut struct {
	ClusterArns []string `json:"clusterArns"`
	NextToken   string   `json:"nextToken,omitempty"`
}

func (s *Simulator) listClusters(in *pageRequest) (*listClustersOut, error) {
	var arns []string
	for _, c := range s.clusterOrder {
		if c.status == "ACTIVE" {
			arns = append(arns, c.arn)
		}
	}
	slices.Sort(arns)
	names, next, err := pageOfNames(s.faults, arns, *in, maxPage, strings.Compare)
	if err != nil {
		return nil, err
	}
	return &listClustersOut{ClusterArns: names, NextToken: next}, nil
}
