package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blox/blox/client"
)

const clusterFlag = "cluster"

// checkNamed refuses filters together with a name, which is looked up by itself: they would not be looked at.
func checkNamed(cmd *cobra.Command, filters *pflag.FlagSet, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var given []string
	filters.VisitAll(func(f *pflag.Flag) {
		if f.Changed && f.Name != clusterFlag {
			given = append(given, "--"+f.Name)
		}
	})
	if len(given) == 0 {
		return nil
	}
	return usage(cmd, "%s and a name were given: the only filter that is allowed with a name is --cluster",
		strings.Join(given, ", "))
}

// checkClusterOfNone says of a list in which nothing is whether its cluster, given by name, is known at all: the API
// answers both with an empty list. Who may not ask for clusters is told nothing.
func checkClusterOfNone(cmd *cobra.Command, blox *client.Client, cluster string) error {
	if cluster == "" || strings.HasPrefix(cluster, "arn:") {
		return nil
	}
	_, err := blox.GetCluster(cmd.Context(), cluster)
	var answered *client.Error
	if errors.As(err, &answered) && answered.Status == http.StatusNotFound {
		return err
	}
	return nil
}
