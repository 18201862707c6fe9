package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

func (s *server) registerHosts(api huma.API) {
	tags := []string{"environments"}
	handle(s, api, huma.Operation{
		OperationID: "listHosts", Method: http.MethodGet, Path: "/v1/environments/{name}/instances", Tags: tags,
		Summary:     "List an environment's hosts by cluster and EC2 instance id",
		Description: "What each host has, what the scheduler would do there next, and what it waits for.",
		Errors:      []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.listHosts)
	handle(s, api, huma.Operation{
		OperationID: "getHost", Method: http.MethodGet, Path: "/v1/environments/{name}/instances/{host" + restOfPath, Tags: tags,
		Summary: "Get one host of an environment", Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.getHost)
}

type listHostsInput struct {
	EnvironmentPath
	Paging
}

type listHostsOutput struct{ Body client.HostStatusPage }

// listHosts explains all hosts for each page: how one is doing may depend on how many others are down.
func (s *server) listHosts(ctx context.Context, in *listHostsInput) (*listHostsOutput, error) {
	env, hosts, err := s.hostsOf(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	list := listFingerprint("hosts", env.ID)
	after, err := hostAfter(in.NextToken, list)
	if err != nil {
		return nil, badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
	}
	first, met := slices.BinarySearchFunc(hosts, after, func(h daemon.HostStatus, key daemon.HostKey) int { return daemon.CompareHosts(h.Host, key) })
	if met {
		first++
	}
	rest := hosts[first:]
	page := rest[:min(in.Limit, len(rest))]
	out := &listHostsOutput{Body: client.HostStatusPage{Items: make([]client.HostStatus, len(page))}}
	for i, h := range page {
		out.Body.Items[i] = hostView(h, env.Partition)
	}
	if len(page) < len(rest) {
		out.Body.NextToken, err = encodeToken(pageToken{List: list, ID: page[len(page)-1].Host.String()})
	}
	return out, err
}

// hostAfter reads a token of a list of hosts; an empty one is the beginning.
func hostAfter(token, list string) (daemon.HostKey, error) {
	if token == "" {
		return daemon.HostKey{}, nil
	}
	t, err := decodeToken(token, list)
	if err != nil {
		return daemon.HostKey{}, err
	}
	key, err := daemon.ParseHostKey(t.ID)
	if err != nil {
		return key, errTokenMalformed
	}
	return key, nil
}

type getHostInput struct {
	EnvironmentPath
	Host string `path:"host" maxLength:"2048" doc:"EC2 instance id (i-…, mi-…), or id or ARN of the container instance."`
}

type hostOutput struct{ Body client.HostStatus }

func (s *server) getHost(ctx context.Context, in *getHostInput) (*hostOutput, error) {
	env, hosts, err := s.hostsOf(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	var found []daemon.HostStatus
	for _, h := range hosts {
		if isHost(h, in.Host) {
			found = append(found, h)
		}
	}
	switch len(found) {
	case 0:
		return nil, notFound("Environment %s knows no host %s: it is in none of the environment's clusters, or was never seen there. "+
			"GET /v1/environments/%s/instances lists those it knows", env.Name, shorten(in.Host), env.Name)
	case 1:
		return &hostOutput{Body: hostView(found[0], env.Partition)}, nil
	}
	return nil, conflicted("%s is in several clusters of environment %s: name it by its container instance's ARN, one of %s",
		shorten(in.Host), env.Name, joinInstances(found))
}

// isHost says whether a name means the host. ECS's ids are in lower case.
func isHost(h daemon.HostStatus, name string) bool {
	arn := h.ContainerInstanceARN
	return strings.EqualFold(name, h.Host.EC2InstanceID) || arn != "" && (name == arn || strings.EqualFold(name, arn[strings.LastIndexByte(arn, '/')+1:]))
}

func joinInstances(hosts []daemon.HostStatus) string {
	arns := make([]string, len(hosts))
	for i, h := range hosts {
		arns[i] = h.ContainerInstanceARN
	}
	return strings.Join(arns, ", ")
}

// hostsOf explains all hosts of the environment that has the name.
func (s *server) hostsOf(ctx context.Context, name string) (daemon.Environment, []daemon.HostStatus, error) {
	env, err := s.environmentNamed(ctx, name)
	if err != nil {
		return env, nil, err
	}
	snapshot, err := s.Scheduler.Snapshot(ctx, env.ID)
	if errors.Is(err, table.ErrNotFound) {
		return env, nil, unknownEnvironment(name)
	}
	if err != nil {
		return env, nil, fmt.Errorf("reading what is known of environment %s: %w", name, err)
	}
	return env, daemon.Explain(snapshot, s.Now()), nil
}

// hostView is a host as the API shows it.
func hostView(h daemon.HostStatus, partition string) client.HostStatus {
	return client.HostStatus{
		EC2InstanceID: h.Host.EC2InstanceID, Cluster: h.Host.Cluster.ARN(partition), ContainerInstanceARN: h.ContainerInstanceARN,
		State: string(h.State), Sentence: h.Sentence(), Desired: h.Desired, Healthy: h.Healthy, Updated: h.Updated,
		TaskARN: h.TaskARN, FormerTaskARN: h.FormerTaskARN, Revision: h.Revision, Since: h.Since, Reason: h.Reason,
		Failures: h.Failures, NextStep: string(h.Next), WaitsFor: h.WaitsFor, RetryAt: h.RetryAt,
		ReadinessAttribute: h.ReadinessAttribute, AttributeError: h.AttributeError,
	}
}
