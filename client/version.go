package client

import (
	"context"
	"net/http"
)

// Version is what an installation of Blox is.
type Version struct {
	Version       string  `json:"version" doc:"The version that was deployed."`
	Commit        string  `json:"commit,omitempty" doc:"The commit that was built, if the build knew it."`
	GoVersion     string  `json:"goVersion" doc:"The version of Go that it was built with."`
	APIVersion    string  `json:"apiVersion" doc:"The version of the API, which its OpenAPI document has: it changes with the API and not with every build."`
	Installation  string  `json:"installation" doc:"Tells several installations in one account apart."`
	Account       string  `json:"account" doc:"12 digits."`
	Region        string  `json:"region"`
	Members       []Place `json:"members" nullable:"false" doc:"Other accounts and regions whose clusters the installation looks after."`
	RetentionDays float64 `json:"retentionDays" doc:"How long stopped tasks and container instances that are gone are shown."`
}

// Place is an account and a region.
type Place struct {
	Account string `json:"account" doc:"12 digits."`
	Region  string `json:"region"`
}

// Version reads what the installation is.
func (c *Client) Version(ctx context.Context) (Version, error) {
	var out Version
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"version"}}, &out)
	return out, err
}
