package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// version is set by the linker for releases.
var version string

// buildVersion is the release, or else what Go knows of the source that was built.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func newVersionCommand(c *connection) *cobra.Command {
	var server bool
	var output outputFlags
	cmd := &cobra.Command{
		Use: "version", Short: "Show the version of this program, and with --server that of the installation", Args: exactly(0),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := output.check(cmd); err != nil {
			return err
		}
		own := programVersion{buildVersion(), runtime.Version()}
		var installed *client.Version
		if server {
			blox, err := c.client(cmd)
			if err != nil {
				return err
			}
			found, err := blox.Version(cmd.Context())
			if err != nil {
				return err
			}
			installed = &found
		}
		if output.form == outputJSON {
			return printJSON(cmd.OutOrStdout(), versions{own, installed})
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "blox %s (%s, %s/%s)\n", own.Version, own.GoVersion, runtime.GOOS, runtime.GOARCH)
		if err != nil || installed == nil {
			return err
		}
		return printLines(cmd.OutOrStdout(), versionLines(*installed))
	}
	cmd.Flags().BoolVar(&server, "server", false, "ask the installation, too")
	output.addForm(cmd)
	return cmd
}

// versions is the form of JSON.
type versions struct {
	Client programVersion  `json:"client"`
	Server *client.Version `json:"server,omitempty"`
}

type programVersion struct {
	Version   string `json:"version"`
	GoVersion string `json:"goVersion"`
}

func versionLines(v client.Version) []line {
	members := make([]string, len(v.Members))
	for i, m := range v.Members {
		members[i] = m.Account + "/" + m.Region
	}
	build := v.Version
	if v.Commit != "" {
		build += " (" + v.Commit + ")"
	}
	return []line{
		{"Server", build + ", " + v.GoVersion},
		{"API", v.APIVersion},
		{"Installation", v.Installation + " in " + v.Account + "/" + v.Region},
		{"Members", strings.Join(members, ", ")},
		{"Retention", number(v.RetentionDays) + " days"},
	}
}
