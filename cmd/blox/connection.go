package main

import (
	"context"
	"fmt"
	"net/url"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

const (
	defaultEndpoint = "http://127.0.0.1:8080"
	endpointEnv     = "BLOX_ENDPOINT"
	signRegionEnv   = "BLOX_SIGN_REGION"
)

// connection is how the verbs reach the API.
type connection struct {
	world
	endpoint, signRegion string
}

func addConnectionFlags(root *cobra.Command, w world) *connection {
	c := &connection{world: w}
	flags := root.PersistentFlags()
	flags.StringVar(&c.endpoint, "endpoint", "", "address of the Blox API (default $"+endpointEnv+", else "+defaultEndpoint+")")
	flags.StringVar(&c.signRegion, "sign-region", "", "sign requests with AWS credentials for this region (default $"+signRegionEnv+
		"; an execute-api endpoint tells its own)")
	return c
}

// gatewayHost is an API Gateway's own name, which tells the region.
var gatewayHost = regexp.MustCompile(`\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// client makes the API client that the flags and the environment ask for.
func (c *connection) client(cmd *cobra.Command) (*client.Client, error) {
	endpoint := firstOf(c.endpoint, c.getenv(endpointEnv), defaultEndpoint)
	options := client.Options{Endpoint: endpoint, UserAgent: "blox/" + buildVersion()}
	region := firstOf(c.signRegion, c.getenv(signRegionEnv))
	if parsed, err := url.Parse(endpoint); err == nil && region == "" {
		if match := gatewayHost.FindStringSubmatch(parsed.Hostname()); match != nil {
			region = match[1]
		}
	}
	if region != "" {
		signer, err := signerFor(cmd.Context(), region)
		if err != nil {
			return nil, err
		}
		options.Signer = signer
	}
	made, err := client.New(options)
	if err != nil {
		return nil, usage(cmd, "%s", err)
	}
	return made, nil
}

func signerFor(ctx context.Context, region string) (client.Signer, error) {
	aws, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, fmt.Errorf("loading AWS credentials: %w", err)
	}
	return client.NewSigner(aws.Credentials, region), nil
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
