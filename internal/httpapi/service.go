package httpapi

import (
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
)

func (s *server) registerPing(api huma.API) {
	handle(s, api, huma.Operation{
		OperationID: "ping", Method: http.MethodGet, Path: "/v1/ping", Tags: []string{"service"},
		Summary: "Say that the API answers", DefaultStatus: http.StatusOK,
	}, s.ping)
}

func (s *server) registerVersion(api huma.API) {
	handle(s, api, huma.Operation{
		OperationID: "getVersion", Method: http.MethodGet, Path: "/v1/version", Tags: []string{"service"},
		Summary: "Tell what this installation is: its version, and where it works",
	}, s.version)
}

type pingOutput struct {
	ContentType string `header:"Content-Type"`
}

func (s *server) ping(context.Context, *struct{}) (*pingOutput, error) {
	return &pingOutput{ContentType: "application/json; charset=UTF-8"}, nil
}

type versionOutput struct{ Body client.Version }

// version asks nobody anything.
func (s *server) version(context.Context, *struct{}) (*versionOutput, error) {
	out := &versionOutput{Body: client.Version{
		Version: s.Version, Commit: commit(), GoVersion: runtime.Version(), APIVersion: DocumentVersion,
		Installation: s.Installation, Account: s.Account, Region: s.Region,
		Members: make([]client.Place, len(s.Members)), RetentionDays: float64(s.VisibleFor) / float64(24*time.Hour),
	}}
	for i, member := range s.Members {
		out.Body.Members[i] = client.Place{Account: member.Account, Region: member.Region}
	}
	return out, nil
}

// commit is the one that was built, if the build knew: reproducible builds leave it out.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
