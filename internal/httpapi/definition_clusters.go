package httpapi

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// givenClusters are the clusters that a definition names, and where each stands in the request.
func givenClusters(in client.EnvironmentDefinition) (clusters, locations []string) {
	for i, cluster := range in.Clusters {
		clusters, locations = append(clusters, cluster), append(locations, fmt.Sprintf("body.clusters[%d]", i))
	}
	if in.InstanceGroup != nil && in.InstanceGroup.Cluster != "" {
		clusters, locations = append(clusters, in.InstanceGroup.Cluster), append(locations, "body.instanceGroup.cluster")
	}
	return clusters, locations
}

// checkClusters says what is wrong with where the hosts are, and gives the clusters that are named and right.
func (s *server) checkClusters(in client.EnvironmentDefinition) (seen []state.ClusterKey, errs []error) {
	group := in.InstanceGroup != nil && in.InstanceGroup.Cluster != ""
	switch {
	case group && len(in.Clusters) > 0:
		errs = append(errs, wrong("body.clusters", nil, "give instanceGroup.cluster or clusters, not both"))
	case in.ClusterPattern != "" && (group || len(in.Clusters) > 0):
		errs = append(errs, wrong("body.clusterPattern", shorten(in.ClusterPattern), "give clusterPattern, or instanceGroup.cluster or clusters, not both"))
	case in.ClusterPattern != "":
		if _, err := s.patternPlace(in.ClusterPattern); err != nil {
			errs = append(errs, wrong("body.clusterPattern", shorten(in.ClusterPattern), "%s", err))
		}
	case !group && len(in.Clusters) == 0:
		errs = append(errs, wrong("body.instanceGroup", nil,
			"where the hosts are is missing: give instanceGroup.cluster, or clusters, or clusterPattern"))
	}
	given, locations := givenClusters(in)
	for i, cluster := range given {
		key, err := s.workCluster(cluster)
		switch {
		case err != nil:
			errs = append(errs, wrong(locations[i], shorten(cluster), "%s", err))
			continue
		case slices.Contains(seen, key):
			errs = append(errs, wrong(locations[i], shorten(cluster), "this cluster is in the list already"))
		case len(seen) > 0 && !samePlace(seen[0], key):
			// A revision has one task definition, which can only be run in its own account and region.
			errs = append(errs, wrong(locations[i], shorten(cluster), "this cluster is in account %s, region %s: allowed are clusters of one account "+
				"and region, here %s and %s", key.Account, key.Region, seen[0].Account, seen[0].Region))
		}
		seen = append(seen, key)
	}
	return seen, errs
}

func samePlace(a, b state.ClusterKey) bool { return a.Account == b.Account && a.Region == b.Region }

// workCluster reads a cluster of an account and region that the installation works in: only there can it start tasks. A
// name means the home's.
func (s *server) workCluster(given string) (state.ClusterKey, error) {
	key, named, err := parseCluster(given)
	if err != nil {
		return key, fmt.Errorf("invalid cluster ARN or name: %w", err)
	}
	if named {
		return s.own(key.Name), nil
	}
	_, err = s.ECS(key.Account, key.Region)
	return key, err
}

// The form of a pattern, and of an ARN that ends with one. What a cluster's name may hold has no meaning to path.Match, so
// that * and ? are all there is.
var (
	clusterPattern    = regexp.MustCompile(`^[A-Za-z0-9_*?-]{1,255}$`)
	clusterPatternARN = regexp.MustCompile(`^arn:[a-z-]+:ecs:([a-z0-9-]+):([0-9]{12}):cluster/([^/]+)$`)
)

// patternPlace reads a pattern of clusters: the key's name is the pattern, its account and region are where it looks.
func (s *server) patternPlace(given string) (state.ClusterKey, error) {
	key := s.own(given)
	if parts := clusterPatternARN.FindStringSubmatch(given); parts != nil {
		key = state.ClusterKey{Account: parts[2], Region: parts[1], Name: parts[3]}
		if _, err := s.ECS(key.Account, key.Region); err != nil {
			return key, err
		}
	}
	if !clusterPattern.MatchString(key.Name) {
		return key, fmt.Errorf("invalid cluster pattern: allowed are letters, digits, hyphens, underscores, * and ?, " +
			"alone or as the name in a cluster's ARN")
	}
	return key, nil
}

// matchingClusters are the clusters that Blox knows and that a pattern matches, in order.
func (s *server) matchingClusters(ctx context.Context, pattern state.ClusterKey) ([]state.ClusterKey, error) {
	all, err := s.State.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	var found []state.ClusterKey
	for _, cluster := range all {
		matches, _ := path.Match(pattern.Name, cluster.Key.Name) // the pattern was checked
		if matches && samePlace(pattern, cluster.Key) && s.State.ClusterVisible(cluster, s.Now()) {
			found = append(found, cluster.Key)
		}
	}
	return inOrder(found), nil
}

// resolveClusters finds the clusters of a checked definition.
func (s *server) resolveClusters(ctx context.Context, in client.EnvironmentDefinition, d *definition) error {
	if in.ClusterPattern != "" {
		pattern, err := s.patternPlace(in.ClusterPattern)
		if err != nil {
			return badRequest(wrong("body.clusterPattern", shorten(in.ClusterPattern), "%s", err))
		}
		d.clusterPattern = pattern.Name
		if d.clusters, err = s.matchingClusters(ctx, pattern); err != nil {
			return err
		}
		if len(d.clusters) == 0 || len(d.clusters) > table.MaxClusters {
			return badRequest(wrong("body.clusterPattern", shorten(in.ClusterPattern),
				"%d clusters that Blox knows in account %s, region %s match: allowed are 1 to %d; GET /v1/clusters lists those it knows",
				len(d.clusters), pattern.Account, pattern.Region, table.MaxClusters))
		}
		return nil
	}
	given, _ := givenClusters(in)
	for _, cluster := range given {
		key, err := s.workCluster(cluster)
		if err != nil {
			return badRequest(err)
		}
		d.clusters = append(d.clusters, key)
	}
	return nil
}

// requireClusters refuses clusters that ECS does not have, or has no more: a deleted one stays INACTIVE for a while.
func requireClusters(ctx context.Context, api ECS, keys []state.ClusterKey, partition string) error {
	arns := make([]string, len(keys)) // at most table.MaxClusters; a call takes 100
	for i, key := range keys {
		arns[i] = key.ARN(partition)
	}
	out, err := api.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: arns})
	if err != nil {
		return ecsError(err, "describing clusters")
	}
	status := make(map[string]string, len(out.Clusters))
	for _, cluster := range out.Clusters {
		status[aws.ToString(cluster.ClusterArn)] = aws.ToString(cluster.Status)
	}
	var problems []string
	for _, arn := range arns {
		switch is := status[arn]; is {
		case "ACTIVE":
		case "":
			problems = append(problems, fmt.Sprintf("cluster %s does not exist", arn))
		default:
			problems = append(problems, fmt.Sprintf("cluster %s is %s, allowed is ACTIVE", arn, is))
		}
	}
	if len(problems) > 0 {
		return notFound("%s", strings.Join(problems, "; "))
	}
	return nil
}

// passing are the subjects that change by what runs on a host or by its agent's connection. A group chosen by them would
// have daemons stopped, and started again, by their own coming and going.
var passing = map[string]bool{"agentConnected": true, "runningTasksCount": true, "task:group": true}

// checkExpression says where an expression of the cluster query language goes wrong, or asks about what no group of hosts
// can be chosen by. Empty is none.
func checkExpression(location, expression string) (errs []error) {
	if expression == "" {
		return nil
	}
	parsed, err := clusterquery.Parse(expression)
	if err != nil {
		return []error{wrong(location, shorten(expression), "%s", err)}
	}
	for _, subject := range parsed.Subjects() {
		if passing[subject.Name] {
			errs = append(errs, wrong(location, shorten(expression), "line %d column %d: %s changes by itself, and hosts would come and go with it; "+
				"allowed are attribute:NAME, ec2InstanceId, agentVersion and registeredAt", subject.Line, subject.Column, subject.Name))
		}
	}
	return errs
}

var hostID = regexp.MustCompile(`^m?i-[0-9a-f]{8,17}$`)

func checkExclude(hosts []string) (errs []error) {
	for i, host := range hosts {
		at := fmt.Sprintf("body.instanceGroup.exclude[%d]", i)
		switch {
		case !hostID.MatchString(host):
			errs = append(errs, wrong(at, shorten(host), "allowed are EC2 instance ids, i-… or mi-… with 8 to 17 hexadecimal digits"))
		case slices.Contains(hosts[:i], host):
			errs = append(errs, wrong(at, host, "this host is in the list already"))
		}
	}
	return errs
}
