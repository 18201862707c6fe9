package command

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const config = `
# comment
[default]
region=eu-central-1
output = json

[profile ops]
  region = ap-southeast-2   # where it runs

[profile without]
output = json

[sso-session x]
region = us-west-1

[profile odd]
region = Frankfurt
`

func TestRegion(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(home, ".aws"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(config), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".aws", "credentials"), []byte("[late]\nregion = us-east-2\n"), 0o600))
	for name, test := range map[string]struct {
		env         map[string]string
		want, wrong string
	}{
		"AWS_REGION comes first":     {env: map[string]string{"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, want: "eu-west-1"},
		"AWS_DEFAULT_REGION":         {env: map[string]string{"AWS_DEFAULT_REGION": "eu-west-2", "AWS_PROFILE": "ops"}, want: "eu-west-2"},
		"the default profile":        {want: "eu-central-1"},
		"a named profile":            {env: map[string]string{"AWS_PROFILE": "ops"}, want: "ap-southeast-2"},
		"the credentials file":       {env: map[string]string{"AWS_PROFILE": "late"}, want: "us-east-2"},
		"partitions other than aws":  {env: map[string]string{"AWS_REGION": "us-gov-west-1"}, want: "us-gov-west-1"},
		"a profile without a region": {env: map[string]string{"AWS_PROFILE": "without"}, wrong: "There is no region: set AWS_REGION"},
		"no such profile":            {env: map[string]string{"AWS_PROFILE": "x"}, wrong: "There is no profile x in " + filepath.Join(home, ".aws", "config") + " or "},
		"no files":                   {env: map[string]string{"HOME": filepath.Join(home, "nobody")}, wrong: "give profile default one"},
		"a session is no profile":    {env: map[string]string{"AWS_PROFILE": "sso-session x"}, wrong: "There is no profile sso-session x"},
		"no region's name":           {env: map[string]string{"AWS_REGION": "eu-west"}, wrong: `AWS_REGION is "eu-west", which is no name of a region`},
		"an availability zone":       {env: map[string]string{"AWS_REGION": "eu-west-1a"}, wrong: "no name of a region"},
		"no region's name in a file": {env: map[string]string{"AWS_PROFILE": "odd"}, wrong: "the region of profile odd in"},
	} {
		t.Run(name, func(t *testing.T) {
			region, err := Region(func(name string) string {
				if value, ok := test.env[name]; ok {
					return value
				}
				return map[string]string{"HOME": home}[name]
			})
			if test.wrong != "" {
				require.ErrorContains(t, err, test.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, region)
		})
	}
}
