package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

func TestTwoEnvironmentsDoNotPlaceTheSameTwice(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.instance() // with an id of its own, in cluster edge
	host := a.hostAttributes()
	there, elsewhere := `"expression": "`+host+`"`, `"expression": "attribute:nowhere exists"`
	group := func(more string) string { return `"instanceGroup": {"cluster": "edge", ` + more + `}` }
	a.create(body("plain:1", group(there)))
	for about, test := range map[string]struct {
		definition string
		refused    bool
	}{
		"the same hosts":           {body("plain:1", group(there)), true},
		"all hosts":                {body("plain:1"), true},
		"a copy of it":             {body("plain:1", copyIt), true},
		"other hosts":              {body("plain:1", group(elsewhere)), false},
		"without that host":        {body("plain:1", group(`"exclude": ["`+a.hostID()+`"]`)), false},
		"another task definition":  {body("awsvpc:1", subnets), false},
		"another cluster":          {body("plain:1", `"instanceGroup": {"cluster": "core"}`), false},
		"two clusters, one common": {body("plain:1", `"clusters": ["core", "edge"]`), true},
	} {
		t.Run(about, func(t *testing.T) {
			got := a.put("m", `{"baseRevision": 0, `+test.definition[len(`{"name": "n", `):])
			if !test.refused {
				require.Equal(t, http.StatusOK, got.status, "%s", got.body)
				require.Equal(t, http.StatusOK, a.do(http.MethodDelete, "/v1/environments/m", "").status)
				stored, err := a.daemon.EnvironmentByName(t.Context(), "m")
				require.NoError(t, err)
				require.NoError(t, a.daemon.RemoveEnvironment(t.Context(), stored, a.now))
				return
			}
			detail := got.problem(409)
			require.Contains(t, detail, "environment n places plain:1 on host "+a.hostID())
			require.Contains(t, detail, "force=true")
			require.Contains(t, a.do(http.MethodPut, "/v1/environments/m?dryRun=true", test.definition[:1]+test.definition[len(`{"name": "n", `):]).problem(409), "twice")
		})
	}
	var forced client.Environment
	a.do(http.MethodPut, "/v1/environments/m?force=true", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "plain:1"}`).into(&forced)
	require.Equal(t, 1, forced.Revision)
	a.do(http.MethodPut, "/v1/environments/m?force=maybe", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "plain:1"}`).problem(400)
	require.Equal(t, 1, int(a.put("n", body("plain:1", group(there), `"baseRevision": 1`)).object()["revision"].(float64)), "its own is no other")
}

// hostID is the EC2 instance id of the host that a.instance stores, hostAttributes an expression that it matches.
func (a *api) hostID() string {
	return a.get("/v1/instances").object()["items"].([]any)[0].(map[string]any)["entity"].(map[string]any)["EC2InstanceID"].(string)
}

func (a *api) hostAttributes() string { return "ec2InstanceId == " + a.hostID() }

func TestAPrivateCopyIsTheSameTaskDefinition(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.create(body("plain:1", copyIt))
	require.Contains(t, a.put("m", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "plain:1"}`).problem(409), "environment n")
}

func TestEqualSelectorsAreRefusedBeforeAHostMatches(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.instance() // matches neither
	selected := func(expression string) string {
		return `{"taskDefinition": "plain:1", "instanceGroup": {"cluster": "edge", "expression": "` + expression + `"}}`
	}
	require.Equal(t, http.StatusOK, a.put("n", selected("attribute:a exists")).status)
	require.Contains(t, a.put("m", selected("attribute:a exists")).problem(409), "environment n places plain:1 in cluster "+clusterARN("edge"))
	require.Equal(t, http.StatusOK, a.put("m", selected("attribute:b exists")).status)
}

func TestAnotherRevisionOfTheFamilyIsTheSameDaemon(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	a.host(home, 1)
	second := `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13"}`
	require.Contains(t, a.put("second", second).problem(409), "log-agent:13 would run twice: environment log-agent places log-agent:12 in cluster")
	require.Equal(t, http.StatusOK, a.do(http.MethodPut, "/v1/environments/second?force=true", second).status)
	require.Equal(t, http.StatusOK, a.put("second", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:12"}`).status,
		"it was let place one there")
}

func TestAnEnvironmentThatIsBeingDeletedIsNoNeighbour(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.do(http.MethodDelete, "/v1/environments/log-agent", "")
	stored, err := a.daemon.Environment(t.Context(), env.ID)
	require.NoError(t, err)
	require.Equal(t, daemon.EnvironmentDeleting, stored.Status)
	require.Equal(t, http.StatusOK, a.put("next", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:12"}`).status)
}

func TestAChangeThatTakesTheDaemonFromEveryHostIsRefused(t *testing.T) {
	group := func(more string) string {
		return `{"instanceGroup": {"cluster": "edge"` + more + `}, "taskDefinition": "plain:1"}`
	}
	const typo = `, "expression": "attribute:stakc == prod"`
	a := newAPI(t)
	a.definitions()
	require.Equal(t, http.StatusOK, a.put("none", group(typo)).status, "there was no host before either")
	a.instance()
	require.Equal(t, http.StatusOK, a.put("n", group("")).status)
	require.Contains(t, a.put("n", group(typo)).problem(409), "the daemon would leave every host that environment n has now (1)")
	require.Contains(t, a.put("n", group(`, "exclude": ["`+a.hostID()+`"]`)).problem(409), "No host matches")
	require.Equal(t, http.StatusConflict, a.do(http.MethodPut, "/v1/environments/n?dryRun=true", group(typo)).status)
	require.Equal(t, http.StatusOK, a.put("n", group(`, "expression": "`+a.hostAttributes()+`"`)).status)
	require.Equal(t, http.StatusOK, a.do(http.MethodPut, "/v1/environments/n?force=true", group(typo)).status)
}
