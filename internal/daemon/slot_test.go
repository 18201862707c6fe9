package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClientTokenNamesOneAttempt(t *testing.T) {
	base := ClientToken("env", 1, hostKey(1), "arn", 1)
	require.Len(t, base, 64, "RunTask takes at most 64 characters")
	require.Equal(t, base, ClientToken("env", 1, hostKey(1), "arn", 1), "any driver asks with the same token")
	for name, other := range map[string]string{
		"environment":  ClientToken("other", 1, hostKey(1), "arn", 1),
		"revision":     ClientToken("env", 2, hostKey(1), "arn", 1),
		"host":         ClientToken("env", 1, hostKey(2), "arn", 1),
		"registration": ClientToken("env", 1, hostKey(1), "other", 1),
		"attempt":      ClientToken("env", 1, hostKey(1), "arn", 2),
	} {
		require.NotEqual(t, base, other, name)
	}
}

func TestBackoffDoublesToItsBound(t *testing.T) {
	require.Zero(t, backoff(1), "most daemons die of something that passes")
	require.Equal(t, 2*time.Second, backoff(2))
	require.Equal(t, 4*time.Second, backoff(3))
	require.Equal(t, maxBackoff, backoff(12))
	require.Equal(t, maxBackoff, backoff(1000))
	for n := 1; n < 40; n++ {
		require.LessOrEqual(t, backoff(n), backoff(n+1))
	}
}

func TestHostKeyIsText(t *testing.T) {
	text, err := hostKey(7).MarshalText()
	require.NoError(t, err)
	require.Equal(t, "210987654321/eu-west-1/edge/i-007", string(text))
	var back HostKey
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, hostKey(7), back)
	for _, bad := range []string{"", "i-1", "a/b/i-1", "210987654321/eu-west-1/edge/"} {
		require.Error(t, back.UnmarshalText([]byte(bad)), bad)
	}
}

func TestDeploymentConfigurationSaysAllThatIsWrong(t *testing.T) {
	require.NoError(t, DefaultDeploymentConfiguration().Validate())
	err := DeploymentConfiguration{MinimumHealthyPercent: 101, MinHealthySeconds: -1}.Validate()
	require.ErrorContains(t, err, "minimumHealthyPercent 101: want 0 to 100")
	require.ErrorContains(t, err, "minHealthySeconds -1: want 0 to 3600")
}

func TestValidateName(t *testing.T) {
	require.NoError(t, ValidateName("log-agent_2"))
	for _, bad := range []string{"", "a b", "a/b", "abcdefghijklmnopqrstuvwxyz12345"} {
		require.ErrorContains(t, ValidateName(bad), "want 1 to 30 letters", bad)
	}
}
